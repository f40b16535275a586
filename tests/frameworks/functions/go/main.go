// The function of Go: net/http alone.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
)

type accessor struct {
	Accessor string `json:"accessor"`
	Position string `json:"position"`
	Name     string `json:"name"`
	Value    any    `json:"value"`
}

type file struct {
	Name     string `json:"name"`
	Filename string `json:"filename"`
	Size     int    `json:"size"`
	Sha256   string `json:"sha256"`
}

func hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// An empty string is what Go gives for a parameter that is absent.
func found(value string) any {
	if value == "" {
		return nil
	}
	return value
}

func single(values map[string][]string) map[string]any {
	result := map[string]any{}
	for name, list := range values {
		if len(list) == 1 {
			result[name] = list[0]
		} else {
			result[name] = list
		}
	}
	return result
}

func report(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<20)
	if err := r.ParseMultipartForm(32 << 20); err != nil && err != http.ErrNotMultipart {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	accessors := []accessor{
		{`r.Header.Get("X-Uid")`, "header", "x-uid", found(r.Header.Get("X-Uid"))},
		{`r.URL.Query().Get("uid")`, "query", "uid", found(r.URL.Query().Get("uid"))},
		{`r.URL.Query()["uid"]`, "query", "uid", r.URL.Query()["uid"]},
		{`r.PostFormValue("fuid")`, "form", "fuid", found(r.PostFormValue("fuid"))},
		{`r.PostForm["fuid"]`, "form", "fuid", r.PostForm["fuid"]},
		{`r.FormValue("uid")`, "any", "uid", found(r.FormValue("uid"))},
		{`r.FormValue("fuid")`, "any", "fuid", found(r.FormValue("fuid"))},
		{`r.Form["uid"]`, "any", "uid", r.Form["uid"]},
		{`r.Form["fuid"]`, "any", "fuid", r.Form["fuid"]},
	}
	form := single(r.PostForm)
	files := []file{}
	if r.MultipartForm != nil {
		form = single(r.MultipartForm.Value)
		accessors = append(accessors,
			accessor{`r.MultipartForm.Value["fuid"]`, "form", "fuid", r.MultipartForm.Value["fuid"]})
		for name, headers := range r.MultipartForm.File {
			for _, header := range headers {
				opened, err := header.Open()
				if err != nil {
					continue
				}
				data, _ := io.ReadAll(opened)
				opened.Close()
				files = append(files, file{name, header.Filename, len(data), hash(data)})
				if name == "fuid" {
					accessors = append(accessors, accessor{`r.FormFile("fuid")`, "file", "fuid", string(data)})
				}
			}
		}
		defer r.MultipartForm.RemoveAll()
	}
	cookies := map[string]any{}
	var cuid any
	for _, cookie := range r.Cookies() {
		cookies[cookie.Name] = cookie.Value
	}
	if cookie, err := r.Cookie("cuid"); err == nil {
		cuid = cookie.Value
	}
	accessors = append(accessors, accessor{`r.Cookie("cuid")`, "cookie", "cuid", cuid})

	headers := map[string]string{"host": r.Host}
	for name, values := range r.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	var content, digest any
	if body, _ := io.ReadAll(r.Body); len(body) > 0 {
		digest = hash(body)
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
			_ = json.Unmarshal(body, &content)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"accessors": accessors,
		"all": map[string]any{
			"query": single(r.URL.Query()), "form": form, "files": files, "cookies": cookies,
			"headers": headers, "json": content, "body_sha256": digest,
		},
	})
}

func main() {
	server := http.Server{Addr: fmt.Sprintf("127.0.0.1:%s", os.Getenv("PORT")), Handler: http.HandlerFunc(report)}
	log.Fatal(server.ListenAndServe())
}

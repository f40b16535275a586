// The function for paths of Go: a ServeMux with a secret under /admin/.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
)

func answer(secret bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"secret": secret, "path": r.URL.Path})
	}
}

func main() {
	mux := http.NewServeMux()
	mux.Handle("/admin", answer(true))
	mux.Handle("/admin/", answer(true))
	mux.Handle("/", answer(false))
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), mux))
}

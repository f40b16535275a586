#!/bin/sh
# The smallest CGI: a shell script that reads its environment.
export LC_ALL=C
json() { printf '%s' "$1" | tr -d '\000-\037\177' | iconv -f LATIN1 -t UTF-8 | sed 's/\\/\\\\/g; s/"/\\"/g'; }

printf 'Content-Type: application/json\r\n\r\n'
if [ "${HTTP_X_UID+set}" ]; then value="\"$(json "$HTTP_X_UID")\""; else value=null; fi
printf '{"accessors": [{"accessor": "$HTTP_X_UID", "position": "header", "name": "x-uid", "value": %s}],' "$value"
printf ' "all": {"body_sha256": '
if [ "${CONTENT_LENGTH:-0}" -gt 0 ]; then
    printf '"%s"' "$(head -c "$CONTENT_LENGTH" | sha256sum | cut -d ' ' -f 1)"
else
    printf null
fi
printf ', "headers": {'
separator=
env | sed -n 's/^HTTP_\([A-Z0-9_]*\)=.*/\1/p' | while read -r name; do
    eval "content=\$HTTP_$name"
    printf '%s"%s": "%s"' "$separator" "$(printf '%s' "$name" | tr 'A-Z_' 'a-z-')" "$(json "$content")"
    separator=', '
done
printf '}}}'

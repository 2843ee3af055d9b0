package auth

import (
	"context"
	"encoding/base64"
	"net/http"

	"dowel/engine/definition"
)

// maxPicture bounds a picture: it is kept with the connection, and connections are listed by hundreds.
const maxPicture = 16 << 10

// picture fetches a picture that has no address of its own, and returns it as a data URL (RFC 2397).
// What it is, is told by its first bytes and not by the answer's type: it is shown to people, and
// pictures that can hold a script are none. Without a picture there is none, whatever the reason.
func picture(ctx context.Context, m Method, r Request, q *definition.Request, c Credential) string {
	reply, err := call(ctx, m, r, q, c, nil)
	if err != nil || len(reply.a.Body) == 0 || len(reply.a.Body) > maxPicture {
		return ""
	}
	switch kind := http.DetectContentType(reply.a.Body); kind {
	case "image/png", "image/jpeg", "image/gif", "image/webp":
		return "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(reply.a.Body)
	}
	return ""
}

package auth

import (
	"crypto/sha1" //nolint:gosec // the profile knows no other digest
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"dowel/engine/definition"
)

// signWSSE writes the UsernameToken of OASIS Web Services Security UsernameToken Profile 1.1 §3.1 into
// a header: the digest of a nonce, the time and the secret. It says who calls, and covers nothing of
// the request.
func signWSSE(out *http.Request, s *definition.WSSESignature, env definition.Env, o occasion) error {
	parts, err := filledTemplates(env, &s.Username, &s.Secret)
	if err != nil {
		return err
	}
	user, secretText := parts[0], parts[1]
	if strings.ContainsAny(user, `"\`) || hasControl(user) {
		return errors.New("the user name contains a quotation mark or a control character")
	}
	created := o.text("created", o.at.Format(time.RFC3339))
	signature, err := o.signature(func() (string, error) {
		if secretText == "" {
			return "", errors.New("the secret is empty")
		}
		sum := sha1.Sum([]byte(o.nonce + created + secretText)) //nolint:gosec // see above
		if s.Digest == "hex" {
			return base64.StdEncoding.EncodeToString([]byte(hex.EncodeToString(sum[:]))), nil
		}
		return base64.StdEncoding.EncodeToString(sum[:]), nil
	})
	if err != nil {
		return err
	}
	nonce := o.nonce
	if s.Nonce == "base64" {
		nonce = base64.StdEncoding.EncodeToString([]byte(o.nonce))
	}
	out.Header.Set(s.Header, fmt.Sprintf(`UsernameToken Username="%s", PasswordDigest="%s", Nonce="%s", Created="%s"`,
		user, signature, o.text("nonce", nonce), created))
	return nil
}

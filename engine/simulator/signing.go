package simulator

import (
	"cmp"
	"crypto"
	"crypto/hmac"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"dowel/engine/definition"
)

// sign signs what the browser brings, as the definition says this provider does, with the secret of the
// app that asked. claims are what a token is to say besides.
func (c *call) sign(v *definition.Verify, app *client, inputs slots, values url.Values, claims map[string]any) error {
	env := inputs.env()
	env["app"] = map[string]any{"client_id": app.id, "client_secret": app.secret}
	key, err := v.Key().Fill(env)
	if err != nil {
		return err
	}
	if v.JWT != nil {
		token, err := signToken(v.JWT, key, env, claims)
		values.Set(v.JWT.Param, token)
		return err
	}
	if v.HMAC.Timestamp != "" {
		values.Set(v.HMAC.Timestamp, strconv.FormatInt(time.Now().Unix(), 10))
	}
	message := sortedQuery(values)
	if v.HMAC.Over.Source != definition.OverSortedQuery {
		query := map[string]any{}
		for name := range values {
			query[name] = values.Get(name)
		}
		env["callback"] = map[string]any{"query": query}
		if message, err = v.HMAC.Over.Fill(env); err != nil {
			return err
		}
	}
	hash := map[string]crypto.Hash{"sha1": crypto.SHA1, "sha256": crypto.SHA256, "sha512": crypto.SHA512}[cmp.Or(v.HMAC.Alg, "sha256")]
	sum := keyedHash(hash, key, message)
	if v.HMAC.Encoding == "base64" {
		values.Set(v.HMAC.Param, base64.StdEncoding.EncodeToString(sum))
	} else {
		values.Set(v.HMAC.Param, hex.EncodeToString(sum))
	}
	return nil
}

// sortedQuery writes parameters by name, each escaped as in a form.
func sortedQuery(values url.Values) string {
	var parts []string
	for name := range values {
		parts = append(parts, url.QueryEscape(name)+"="+url.QueryEscape(values.Get(name)))
	}
	slices.Sort(parts)
	return strings.Join(parts, "&")
}

func keyedHash(hash crypto.Hash, key, message string) []byte {
	mac := hmac.New(hash.New, []byte(key))
	mac.Write([]byte(message))
	return mac.Sum(nil)
}

// signToken makes a token in compact form (RFC 7515 §7.1) that lives for a minute.
func signToken(v *definition.VerifyJWT, key string, env definition.Env, claims map[string]any) (string, error) {
	all := map[string]any{"iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix()}
	for name, value := range claims {
		all[name] = value
	}
	for name, t := range map[string]*definition.Template{"iss": v.Issuer, "aud": v.Audience} {
		if t == nil {
			continue
		}
		text, err := t.Fill(env)
		if err != nil {
			return "", err
		}
		all[name] = text
	}
	alg := cmp.Or(v.Alg, "HS256")
	header, err := json.Marshal(map[string]any{"alg": alg, "typ": "JWT"})
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(all)
	if err != nil {
		return "", err
	}
	input := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(payload)
	hash := map[string]crypto.Hash{"HS256": crypto.SHA256, "HS384": crypto.SHA384, "HS512": crypto.SHA512}[alg]
	return input + "." + base64.RawURLEncoding.EncodeToString(keyedHash(hash, key, input)), nil
}

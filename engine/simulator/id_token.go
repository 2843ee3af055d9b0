package simulator

import (
	"cmp"
	"crypto"
	"encoding/base64"
	"maps"
	"net/http"
	"strings"
	"time"

	"dowel/engine/definition"
)

// idToken makes the ID token (OpenID Connect Core §2) that goes with an access token: who the person
// is, for which client, in answer to which request, with what the definition's identity reads of it.
// s.mu is held.
func (c *call) idToken(k spec, g *grant, accessToken string) (string, error) {
	how := k.auth.IDToken
	now := time.Now()
	claims := map[string]any{}
	if id := c.connector.IdentityFor(k.auth); id != nil {
		d := document{}
		d.identity(id, g.account)
		read, _ := d.get([]any{"id_token"}).(map[string]any)
		maps.Copy(claims, read)
		if id.From == "id_token" {
			read, _ = d.get(body()).(map[string]any)
			maps.Copy(claims, read)
		}
	}
	for name, v := range map[string]any{
		"sub": g.account.ID, "aud": g.client, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		"at_hash": leftHalf(how.Algs[0], accessToken),
	} {
		if claims[name] == nil {
			claims[name] = v
		}
	}
	if g.nonce != "" {
		claims["nonce"] = g.nonce
	}
	claims["iss"] = c.issuer(how, k.slots, g.known, claims)
	if issuer := c.issuerOf(k.auth); issuer != "" && claims["iss"] == "" {
		claims["iss"] = issuer
	}
	alg := c.forge(how, claims)
	secret := ""
	if app := c.s.clients[c.connector.ID][g.client]; app != nil {
		secret = app.secret
	}
	token, err := signed(alg, secret, claims)
	if err == nil && c.failing(FaultIDToken) && c.fault.Value == "signature" {
		token[len(token)-2] ^= 1 // another character of base64url, near the end
	}
	return string(token), err
}

// issuer fills the issuer; what it reads of the token is then a claim of the token.
func (c *call) issuer(how *definition.IDToken, here, before slots, claims map[string]any) string {
	if how.Issuer == nil {
		return ""
	}
	var b strings.Builder
	for _, p := range pieces(how.Issuer.Source) {
		name, isClaim := strings.CutPrefix(p.formula, "id_token.")
		switch {
		case !p.isFormula:
			b.WriteString(p.text)
		case isClaim:
			if claims[name] == nil {
				claims[name] = "sim-" + strings.ReplaceAll(name, "_", "-")
			}
			b.WriteString(definition.Text(claims[name]))
		default:
			b.WriteString(cmp.Or(here[p.formula], before[p.formula]))
		}
	}
	return b.String()
}

// leftHalf is at_hash (OpenID Connect Core §3.1.3.6).
func leftHalf(alg, accessToken string) string {
	hash := crypto.SHA512 // of Ed25519
	for size, h := range map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384} {
		if strings.HasSuffix(alg, size) {
			hash = h
		}
	}
	h := hash.New()
	h.Write([]byte(accessToken))
	sum := h.Sum(nil)
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}

// FaultIDToken spoils the ID token in the way that Value names: see forge.
const FaultIDToken FaultKind = "id_token"

// ForgedIDTokens are the ways in which FaultIDToken can spoil an ID token.
var ForgedIDTokens = []string{
	"absent", "signature", "none", "issuer", "audience", "azp", "nonce", "expired", "from_tomorrow", "no_subject", "at_hash", "another_alg",
}

// forge spoils the claims, where a fault wants it, and returns the algorithm to sign with.
func (c *call) forge(how *definition.IDToken, claims map[string]any) (alg string) {
	alg = how.Algs[0]
	if !c.failing(FaultIDToken) {
		return alg
	}
	now := time.Now()
	switch c.fault.Value {
	case "none":
		return "none"
	case "issuer":
		claims["iss"] = "https://evil.example"
	case "audience":
		claims["aud"] = []string{"another client"}
	case "azp":
		claims["azp"] = "another client"
	case "nonce":
		claims["nonce"] = "of another flow"
	case "expired":
		claims["exp"] = now.Add(-time.Hour).Unix()
	case "from_tomorrow":
		claims["iat"], claims["nbf"] = now.Add(24*time.Hour).Unix(), now.Add(24*time.Hour).Unix()
	case "no_subject":
		delete(claims, "sub")
	case "at_hash":
		claims["at_hash"] = leftHalf(alg, "another token")
	case "another_alg":
		if strings.HasPrefix(alg, "HS") {
			return "RS256"
		}
		return "HS256"
	}
	return alg
}

// signedAnswer is an answer about somebody that is signed like an ID token (OpenID Connect Core §5.3.2).
func (c *call) signedAnswer(who *holder, d document, how definition.Reading) *answer {
	a := d.answer(http.StatusOK, how)
	claims, _ := d.answerBody().(map[string]any)
	claims["sub"] = who.account.ID
	if who.grant != nil {
		claims["aud"] = who.grant.client
		claims["iss"] = c.issuer(who.auth.IDToken, nil, who.grant.known, claims)
	}
	token, err := signed(who.auth.IDToken.Algs[0], "", claims)
	if err != nil {
		return plain(http.StatusInternalServerError, err.Error())
	}
	a.body = append([]byte(how.StripPrefix), token...)
	return a
}

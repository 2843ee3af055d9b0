package definition

import (
	"fmt"
	"slices"
)

// Exchanges lists the requests to the token endpoint that end in the credential: Token, and those that
// trade what it has brought. A kind without a token endpoint has none.
func (a *Auth) Exchanges() []*TokenRequest {
	if a.Token == nil {
		return nil
	}
	return slices.Concat([]*TokenRequest{a.Token}, a.Token.Then)
}

// exchanges calls f for every request that Exchanges lists, with its JSON pointer.
func (l *linter) exchanges(f func(t *TokenRequest, at string)) {
	l.methods(func(a *Auth, at string) {
		for i, t := range a.Exchanges() {
			f(t, exchangeAt(at, i))
		}
	})
}

// exchangeAt is the JSON pointer of the request with number i of the method at a pointer.
func exchangeAt(at string, i int) string {
	if i == 0 {
		return at + "/token"
	}
	return fmt.Sprintf("%s/token/then/%d", at, i-1)
}

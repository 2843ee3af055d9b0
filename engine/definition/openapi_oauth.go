package definition

import "slices"

// oauth2 writes a method for each flow that a definition can say.
func (m *openAPI) oauth2(name string, o *object) {
	i, ok := o.take("flows")
	if !ok {
		m.note(i, importMissing, "this lists how a token can be had")
	}
	flows := m.object(i)
	for _, key := range flows.keys() {
		at, _ := flows.take(key)
		flow := m.object(at)
		switch key {
		case "authorizationCode":
			m.codeFlow(name, o, flow)
		case "clientCredentials":
			m.clientFlow(name, o, flow)
		default:
			m.note(at, importDropped, "the %s flow was not carried over", cut(key))
		}
	}
}

func (m *openAPI) codeFlow(name string, o, flow *object) {
	out, authorize := m.begin(name, AuthorizationCode, o), newDraft()
	authorize.put("url", textNode(m.address(flow, "authorizationUrl")))
	out.mapping("authorize", authorize)
	out.mapping("scopes", m.scopes(name, flow))
	token := m.token(flow)
	out.mapping("token", token)
	if address, at := flow.text("refreshUrl"); address != "" {
		refresh := newDraft()
		refresh.text("grant", "refresh_token")
		if same, _ := child(&token.Node, "url"); m.secure(at, address) && m.filled(at, address) != same.value.Value {
			refresh.text("url", m.filled(at, address))
			m.host(m.filled(at, address))
		}
		out.mapping("refresh", refresh)
	}
	m.methods = append(m.methods, out)
}

func (m *openAPI) clientFlow(name string, o, flow *object) {
	out := m.begin(name, ClientCredentials, o)
	out.set("id", "app")
	out.mapping("scopes", m.scopes(name, flow))
	out.mapping("token", m.token(flow))
	m.methods = append(m.methods, out)
}

// address takes an address of a flow.
func (m *openAPI) address(flow *object, name string) string {
	address, at := flow.text(name)
	if !m.secure(at, address) {
		return address
	}
	address = m.filled(at, address)
	m.host(address)
	return address
}

// token writes the token request. How the client authenticates is not said in OpenAPI; every server has
// to support the header (RFC 6749 §2.3.1).
func (m *openAPI) token(flow *object) *draft {
	out := newDraft()
	out.put("url", textNode(m.address(flow, "tokenUrl")))
	out.text("client_auth", string(ClientAuthHeader))
	m.note(flow.item, importAssumed, "how the client authenticates is not said; client_auth was taken to be header, and many providers want body")
	return out
}

// mostScopes is how many scopes are asked for if nothing says which are needed.
const mostScopes = 10

// scopes asks for those that the whole API requires, or for all if they are few.
func (m *openAPI) scopes(name string, flow *object) *draft {
	out := newDraft()
	i, _ := flow.take("scopes")
	known := m.object(i).keys()
	var ask []string
	for _, requirement := range m.part("security").items() {
		wanted, _ := m.object(requirement).take(name)
		for _, s := range wanted.items() {
			if text, ok := s.scalar(); ok && text != "" && !slices.Contains(ask, text) {
				ask = append(ask, text)
			}
		}
	}
	if len(ask) == 0 && len(known) > 0 {
		if len(known) > mostScopes {
			m.note(i, importDropped, "of %d scopes none is asked for, because nothing says which are needed; write them under scopes.default", len(known))
			return out
		}
		ask = known
		m.note(i, importAssumed, "all scopes are asked for; take away what is not needed")
	}
	out.texts("default", ask)
	return out
}

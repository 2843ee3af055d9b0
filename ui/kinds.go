package ui

import "slices"

// kindGroup is one way to connect as people know it, and the auth kinds that are it. Its name is the
// text "group.<id>"; a kind's own is "kind.<kind>".
type kindGroup struct {
	id    string
	kinds []string
}

// kindGroups sorts every auth kind into the few ways that people choose from, in the order in which they
// are offered. A new auth kind is a word here and a text.
var kindGroups = []kindGroup{
	{"oauth", []string{
		"oauth2_authorization_code", "oauth2_device_code", "oauth2_client_credentials", "oauth2_jwt_bearer",
		"oauth2_token_exchange", "oauth2_password", "oauth1",
	}},
	{"api_key", []string{"api_key"}},
	{"bearer", []string{"bearer"}},
	{"basic", []string{"basic"}},
	{"custom", []string{"custom"}},
	{"none", []string{"none"}},
}

// groupOf returns the group of an auth kind. A kind that is in none stands for itself.
func groupOf(kind string) string {
	for _, g := range kindGroups {
		if g.id == kind || slices.Contains(g.kinds, kind) {
			return g.id
		}
	}
	return kind
}

// groupsOf returns the groups of some auth kinds, each once, in the order of the table.
func groupsOf(kinds []string) []string {
	var out []string
	for _, k := range kinds {
		if g := groupOf(k); !slices.Contains(out, g) {
			out = append(out, g)
		}
	}
	slices.SortStableFunc(out, func(a, b string) int { return groupRank(a) - groupRank(b) })
	return out
}

// groupRank is the place of a group in the table; what is not in it comes last.
func groupRank(id string) int {
	if i := slices.IndexFunc(kindGroups, func(g kindGroup) bool { return g.id == id }); i >= 0 {
		return i
	}
	return len(kindGroups)
}

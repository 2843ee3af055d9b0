package ui

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// Entry is one connector in a list that people search: the gallery of the console, the picker of the
// Connect dialog.
type Entry struct {
	ID string
	Tile
	Categories  []string // as in the definition, such as "crm"; the first is the main one
	Kinds       []string // the auth kinds of its methods
	SignsIn     bool     // it can say who the person is
	Verified    string   // level: simulated, corroborated, documented, live; empty: nobody says
	Connections int      // that there are already
}

// Search is what a list of connectors is narrowed by, and its order. It is the whole state of the list
// and stands in the address, as q, category, kind, signin and sort.
type Search struct {
	Query    string // words, each of which has to be in the name, the id or a category
	Category string
	Kind     string // a group of auth kinds: oauth, api_key, bearer, basic, custom or none
	SignsIn  bool   // signin=yes: only those that can say who the person is
	// Sort is "used" (most connections first), "verified" (best checked first) or empty: by name, and
	// with a query those first whose name begins with it.
	Sort string
}

// Narrows reports whether the search leaves anything out.
func (s Search) Narrows() bool {
	return strings.TrimSpace(s.Query) != "" || s.Category != "" || s.Kind != "" || s.SignsIn
}

// sorts are the orders of a list.
var sorts = []string{"", "used", "verified"}

// levels are the ways a definition may have been checked, from least to best.
var levels = []string{"", "simulated", "corroborated", "documented", "live"}

// found is a list as it is drawn. Every entry is in it, for the script to find without asking again;
// those that the search leaves out are hidden.
type found struct {
	Search
	Items             []foundItem
	Shown, Total      int
	SigningIn         int // how many can say who the person is
	Categories, Kinds []facet
}

type foundItem struct {
	Index  int // in the list that was given
	Hidden bool
	Text   string // what is searched: the name, then the rest, folded and told apart by bars
	Groups []string
	Rank   int // of its Verified
	Entry
}

// facet is one value to narrow a list by, and how many entries have it.
type facet struct {
	Value, Label string
	Count        int
	Chosen       bool
}

// find narrows and orders a list. static/find.js does the same while one types.
func (u *UI) find(s Search, entries []Entry) found {
	s.Kind = groupOf(s.Kind)
	f := found{Search: s, Total: len(entries), Items: make([]foundItem, 0, len(entries))}
	categories, kinds := map[string]int{}, map[string]int{}
	for i, e := range entries {
		it := foundItem{Index: i, Entry: e, Groups: groupsOf(e.Kinds), Rank: max(0, slices.Index(levels, e.Verified)), Text: u.searched(e)}
		it.Hidden = !s.finds(it)
		if !it.Hidden {
			f.Shown++
		}
		for _, c := range e.Categories {
			categories[c]++
		}
		for _, g := range it.Groups {
			kinds[g]++
		}
		if e.SignsIn {
			f.SigningIn++
		}
		f.Items = append(f.Items, it)
	}
	slices.SortFunc(f.Items, s.order)
	f.Categories, f.Kinds = facets(categories, s.Category, u.category), facets(kinds, s.Kind, u.group)
	slices.SortFunc(f.Categories, func(a, b facet) int { return cmp.Compare(fold(a.Label), fold(b.Label)) })
	slices.SortFunc(f.Kinds, func(a, b facet) int {
		return cmp.Or(groupRank(a.Value)-groupRank(b.Value), cmp.Compare(a.Value, b.Value))
	})
	return f
}

// searched is the text that a query is looked for in.
func (u *UI) searched(e Entry) string {
	parts := []string{e.Name, e.ID}
	for _, c := range e.Categories {
		parts = append(parts, u.category(c))
		if !strings.EqualFold(c, u.category(c)) {
			parts = append(parts, c)
		}
	}
	return fold(strings.Join(parts, "|"))
}

// fold takes letters for the same that people take for the same.
func fold(s string) string { return strings.ToLower(s) }

func (s Search) finds(it foundItem) bool {
	for w := range strings.FieldsSeq(fold(s.Query)) {
		if !strings.Contains(it.Text, w) {
			return false
		}
	}
	return (s.Category == "" || slices.Contains(it.Categories, s.Category)) &&
		(s.Kind == "" || slices.Contains(it.Groups, s.Kind)) && (!s.SignsIn || it.SignsIn)
}

// order compares two entries; no two are alike, because ids are not.
func (s Search) order(a, b foundItem) int {
	first := 0
	switch s.Sort {
	case "used":
		first = cmp.Compare(b.Connections, a.Connections)
	case "verified":
		first = cmp.Compare(b.Rank, a.Rank)
	default:
		first = cmp.Compare(s.fit(a), s.fit(b))
	}
	return cmp.Or(first, cmp.Compare(a.folded(), b.folded()), cmp.Compare(a.Text, b.Text))
}

// folded is the name as it is searched and ordered by.
func (it foundItem) folded() string {
	name, _, _ := strings.Cut(it.Text, "|")
	return name
}

// fit says how well an entry answers the query: 0 if its name begins with it, 1 if a word of the name
// does, 2 otherwise.
func (s Search) fit(it foundItem) int {
	q := strings.Join(strings.Fields(fold(s.Query)), " ")
	switch name := it.folded(); {
	case q == "" || strings.HasPrefix(name, q):
		return 0
	case strings.Contains(name, " "+q):
		return 1
	}
	return 2
}

// facets lists values with their counts. The chosen one is there even if no entry has it, so that one
// sees what leaves the list empty.
func facets(counts map[string]int, chosen string, label func(string) string) []facet {
	out := make([]facet, 0, len(counts)+1)
	if _, ok := counts[chosen]; !ok && chosen != "" {
		out = append(out, facet{Value: chosen, Label: label(chosen), Chosen: true})
	}
	for v, n := range counts {
		out = append(out, facet{v, label(v), n, v == chosen})
	}
	return out
}

// category is a category for people. The set is open: what has no text is its own.
func (u *UI) category(c string) string { return u.texts.or("category."+c, titled(c)) }

// group is a group of auth kinds for people.
func (u *UI) group(g string) string { return u.texts.or("group."+g, titled(g)) }

// titled makes a word for programs one for people: project-management is Project management.
func titled(s string) string {
	r := []rune(strings.NewReplacer("-", " ", "_", " ").Replace(s))
	if len(r) > 0 {
		r[0] = unicode.ToUpper(r[0])
	}
	return string(r)
}

// entries are what is searched in a page.
func entries(p Page) []Entry {
	var out []Entry
	switch p := p.(type) {
	case ConnectorsPage:
		for _, c := range p.Connectors {
			out = append(out, c.Entry)
		}
	case PickerPage:
		for _, o := range p.Offers {
			out = append(out, o.Entry)
		}
	}
	return out
}

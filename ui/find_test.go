package ui

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestEveryAuthKindHasItsWords holds the table of kinds and the texts against the schema: a kind that is
// new there has to be told to people here.
func TestEveryAuthKindHasItsWords(t *testing.T) {
	u := newUI(t)
	source, err := os.ReadFile("../schemas/connector.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Defs struct {
			Auth struct {
				Properties struct {
					Kind struct{ Enum []string }
				}
			}
		} `json:"$defs"`
	}
	if err := json.Unmarshal(source, &schema); err != nil {
		t.Fatal(err)
	}
	kinds := schema.Defs.Auth.Properties.Kind.Enum
	if len(kinds) == 0 {
		t.Fatal("the schema names no kinds where this test looks")
	}
	for _, k := range kinds {
		if groupRank(groupOf(k)) == len(kindGroups) {
			t.Errorf("auth kind %s is in no group of kinds.go", k)
		}
	}
	for _, g := range kindGroups {
		if _, ok := u.texts["group."+g.id]; !ok {
			t.Errorf("text group.%s is missing", g.id)
		}
		for _, k := range g.kinds {
			if _, ok := u.texts["kind."+k]; !ok {
				t.Errorf("text kind.%s is missing", k)
			}
		}
	}
}

func TestFind(t *testing.T) {
	u := newUI(t)
	entries := []Entry{
		{ID: "box", Tile: Tile{Name: "Box"}, Categories: []string{"files"}, Kinds: []string{"oauth2_authorization_code"}, Connections: 1},
		{ID: "box-sign", Tile: Tile{Name: "Box Sign"}, Categories: []string{"files", "e-signature"}, Verified: "live"},
		{ID: "dropbox", Tile: Tile{Name: "Dropbox"}, Categories: []string{"files"}, Kinds: []string{"oauth1", "basic"}, SignsIn: true},
		{ID: "acme", Tile: Tile{Name: "acme Box"}, Categories: []string{"example"}, Kinds: []string{"basic"}, Connections: 9, Verified: "simulated"},
	}
	for _, tt := range []struct {
		name   string
		search Search
		want   string
	}{
		{"by name, whatever the case", Search{}, "acme box box-sign dropbox"},
		{"whose name begins with it first, then a word of it", Search{Query: " BOX "}, "box box-sign acme dropbox"},
		{"words in any order", Search{Query: "sign box"}, "box-sign"},
		{"the category's words", Search{Query: "trying out"}, "acme"},
		{"the category's id", Search{Query: "e-sign"}, "box-sign"},
		{"second category", Search{Category: "e-signature"}, "box-sign"},
		{"a group", Search{Kind: "oauth"}, "box dropbox"},
		{"a kind stands for its group", Search{Kind: "oauth2_device_code"}, "box dropbox"},
		{"sign-in", Search{SignsIn: true}, "dropbox"},
		{"most connections first", Search{Sort: "used"}, "acme box box-sign dropbox"},
		{"best checked first", Search{Sort: "verified"}, "box-sign acme box dropbox"},
		{"an order there is none of", Search{Sort: "price"}, "acme box box-sign dropbox"},
		{"nothing", Search{Query: "box fax"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			f := u.find(tt.search, entries)
			for _, it := range f.Items {
				if !it.Hidden {
					got = append(got, it.ID)
				}
			}
			if strings.Join(got, " ") != tt.want || f.Shown != len(got) || f.Total != len(entries) {
				t.Errorf("find(%+v): %v (%d of %d), want %s", tt.search, got, f.Shown, f.Total, tt.want)
			}
		})
	}
}

func TestFacetsCountAndKeepWhatIsChosen(t *testing.T) {
	u := newUI(t)
	f := u.find(Search{Category: "phone-calls"}, entries(ConnectorsPage{Connectors: storyCards()}))
	if len(f.Categories) == 0 || !slices.Contains(f.Categories, facet{"phone-calls", "Phone calls", 0, true}) {
		t.Errorf("categories: %+v", f.Categories)
	}
	var kinds []string
	for _, k := range f.Kinds {
		kinds = append(kinds, fmt.Sprint(k.Label, " ", k.Count))
	}
	if got := strings.Join(kinds, ", "); got != "OAuth 5, API key 1, Bearer 1, Basic 1, Custom Input 1" {
		t.Errorf("kinds: %s", got)
	}
}

// manyConnectors is a gallery as large as the catalogue is meant to be.
func manyConnectors(n int) ConnectorsPage {
	p := ConnectorsPage{Console: storyConsole()}
	for i := range n {
		c := storyCards()[i%8]
		c.ID, c.Name = fmt.Sprintf("%s-%d", c.ID, i), fmt.Sprintf("%s %d", c.Name, i)
		p.Connectors = append(p.Connectors, c)
	}
	return p
}

func TestAGalleryOfFiveHundredIsNoBurden(t *testing.T) {
	if got := len(render(t, newUI(t), manyConnectors(500))); got > 500<<10 {
		t.Errorf("%d KiB", got>>10)
	}
}

func BenchmarkGallery(b *testing.B) {
	u, err := New()
	if err != nil {
		b.Fatal(err)
	}
	p := manyConnectors(500)
	for b.Loop() {
		if err := u.Render(discard{}, p); err != nil {
			b.Fatal(err)
		}
	}
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

func TestAShortListIsNotNarrowedByCategory(t *testing.T) {
	u := newUI(t)
	const asks = `<select id="category"`
	few, chosen := PickerPage{Dialog: storyDialog(), Offers: storyOffers()}, PickerPage{Dialog: storyDialog(), Offers: storyOffers()}
	chosen.Category = "chat"
	many := PickerPage{Dialog: storyDialog(), Offers: slices.Repeat(storyOffers(), 2)}
	for _, tt := range []struct {
		name string
		page PickerPage
		want bool
	}{{"few", few, false}, {"few, and one is chosen", chosen, true}, {"many", many, true}} {
		if got := strings.Contains(render(t, u, tt.page), asks); got != tt.want {
			t.Errorf("%s: asks for a category: %v", tt.name, got)
		}
	}
}

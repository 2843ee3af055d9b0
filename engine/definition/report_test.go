package definition

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var written = []Finding{
	{File: "a b.yaml", Line: 3, Col: 5, Level: LevelError, Rule: "unknown-key", Message: `unknown key "<x>"`, Path: "/auth/0/x"},
	{File: "a b.yaml", Line: 9, Col: 1, Level: LevelWarning, Rule: "pkce-off", Message: "try optional"},
}

func TestFindingsAreWrittenAsText(t *testing.T) {
	var b bytes.Buffer
	if err := WriteFindings(&b, "text", written); err != nil {
		t.Fatal(err)
	}
	want := "a b.yaml:3:5: unknown-key: unknown key \"<x>\" (error)\na b.yaml:9:1: pkce-off: try optional (warning)\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFindingsAreWrittenAsJSON(t *testing.T) {
	for _, findings := range [][]Finding{written, nil} {
		var b bytes.Buffer
		if err := WriteFindings(&b, "json", findings); err != nil {
			t.Fatal(err)
		}
		var back []Finding
		if err := json.Unmarshal(b.Bytes(), &back); err != nil || back == nil {
			t.Fatalf("%v in %s", err, b.String())
		}
		if diff := cmp.Diff(findings, back); diff != "" && findings != nil {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestFindingsAreWrittenAsSARIF(t *testing.T) {
	var b bytes.Buffer
	if err := WriteFindings(&b, "sarif", written); err != nil {
		t.Fatal(err)
	}
	var log struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}
			Results []struct {
				RuleID    string
				RuleIndex int
				Level     string
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine, StartColumn int }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	for i, r := range run.Results {
		at := r.Locations[0].PhysicalLocation
		if run.Tool.Driver.Rules[r.RuleIndex].ID != written[i].Rule || r.RuleID != written[i].Rule || r.Level != string(written[i].Level) ||
			at.ArtifactLocation.URI != "a%20b.yaml" || at.Region.StartLine != written[i].Line || at.Region.StartColumn != written[i].Col {
			t.Errorf("result %+v of %v", r, written[i])
		}
	}
	if log.Version != "2.1.0" || len(run.Results) != len(written) {
		t.Errorf("version %s, %d results", log.Version, len(run.Results))
	}
}

func TestAnUnknownFormatIsRefused(t *testing.T) {
	if err := WriteFindings(&bytes.Buffer{}, "xml", nil); err == nil {
		t.Error("no error")
	}
}

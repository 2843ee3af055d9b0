package definition

import (
	"encoding/json"
	"fmt"
	"io"
)

// WriteFindings writes findings for people (text: one line each) or for programs (json: a list; sarif:
// a SARIF 2.1.0 log, as code hosts read it).
func WriteFindings(w io.Writer, format string, findings []Finding) error {
	switch format {
	case "", "text":
		for _, f := range findings {
			if _, err := fmt.Fprintf(w, "%s (%s)\n", f, f.Level); err != nil {
				return err
			}
		}
		return nil
	case "json":
		if findings == nil {
			findings = []Finding{}
		}
		return writeJSON(w, findings)
	case "sarif":
		return writeJSON(w, sarif(findings))
	}
	return fmt.Errorf("there is no format %q: text, json or sarif", format)
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// The parts of SARIF 2.1.0 that a list of findings needs.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string    `json:"id"`
		ShortDescription sarifText `json:"shortDescription"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		Level     Level           `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifLocation struct {
		PhysicalLocation sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		ArtifactLocation sarifArtifact `json:"artifactLocation"`
		Region           sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
	}
)

func sarif(findings []Finding) sarifLog {
	run := sarifRun{Tool: sarifTool{Driver: sarifDriver{Name: "dowel", Rules: []sarifRule{}}}, Results: []sarifResult{}}
	for _, r := range Rules() {
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{ID: r.Name, ShortDescription: sarifText{r.Doc}})
	}
	for _, f := range findings {
		run.Results = append(run.Results, sarifResult{
			RuleID: f.Rule, Level: f.Level, Message: sarifText{f.Message},
			Locations: []sarifLocation{{sarifPhysical{sarifArtifact{f.File}, sarifRegion{f.Line, f.Col}}}},
		})
	}
	return sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}}
}

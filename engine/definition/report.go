package definition

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// formats are the ways WriteFindings can write.
var formats = []string{"text", "json", "sarif"}

// WriteFindings writes findings as text (the usual way; a line each: file:line:col: rule: message), as json (an
// array) or as sarif (SARIF 2.1.0, which code hosts show beside the line).
func WriteFindings(w io.Writer, format string, findings []Finding) error {
	switch format {
	case "", "text":
		for _, f := range findings {
			if _, err := fmt.Fprintf(w, "%s (%s)\n", f, f.Level); err != nil {
				return fmt.Errorf("write findings: %w", err)
			}
		}
		return nil
	case "json":
		return writeJSON(w, append([]Finding{}, findings...))
	case "sarif":
		return writeJSON(w, sarifOf(findings))
	}
	return fmt.Errorf("there is no format %q; %s", format, suggest(format, formats))
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write findings: %w", err)
	}
	return nil
}

// The parts of SARIF 2.1.0 that findings fill.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID      string     `json:"id"`
		Text    sarifText  `json:"shortDescription"`
		Default sarifLevel `json:"defaultConfiguration"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifLevel struct {
		Level Level `json:"level"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     Level           `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
		Fixes     []sarifFix      `json:"fixes,omitempty"`
	}
	sarifFix struct {
		Text    sarifText     `json:"description"`
		Changes []sarifChange `json:"artifactChanges"`
	}
	sarifChange struct {
		Artifact     sarifArtifact      `json:"artifactLocation"`
		Replacements []sarifReplacement `json:"replacements"`
	}
	sarifReplacement struct {
		Deleted  sarifRegion `json:"deletedRegion"`
		Inserted sarifText   `json:"insertedContent"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		Line    int `json:"startLine"`
		Col     int `json:"startColumn"`
		EndLine int `json:"endLine,omitempty"`
		EndCol  int `json:"endColumn,omitempty"`
	}
)

func sarifFixes(file string, f *Fix) []sarifFix {
	if f == nil {
		return nil
	}
	end := Position{f.Line, f.Col + utf8.RuneCountInString(f.Old)}
	if strings.HasSuffix(f.Old, "\n") {
		end = Position{f.Line + 1, 1}
	}
	return []sarifFix{{sarifText{f.String()}, []sarifChange{{sarifArtifact{file}, []sarifReplacement{{
		sarifRegion{f.Line, f.Col, end.Line, end.Col}, sarifText{f.New},
	}}}}}}
}

func sarifOf(findings []Finding) sarifLog {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "dowel"}
	index := map[string]int{}
	for i, r := range Rules() {
		index[r.Name] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{r.Name, sarifText{r.Doc}, sarifLevel{r.Level}})
	}
	for _, f := range findings {
		file := &url.URL{Path: filepath.ToSlash(f.File)}
		run.Results = append(run.Results, sarifResult{
			RuleID: f.Rule, RuleIndex: index[f.Rule], Level: f.Level, Message: sarifText{f.Message},
			Locations: []sarifLocation{{sarifPhysical{sarifArtifact{file.String()}, sarifRegion{Line: f.Line, Col: f.Col}}}},
			Fixes:     sarifFixes(file.String(), f.Fix),
		})
	}
	return sarifLog{
		Schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run},
	}
}

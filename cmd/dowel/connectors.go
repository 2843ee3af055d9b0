package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"dowel/connectors"
	"dowel/engine"
	"dowel/engine/definition"
)

func connectorsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "connectors", Short: "Write, check, explain and rehearse connector definitions"}
	cmd.AddCommand(lintCommand(), explainCommand(), testCommand(), schemaCommand(), importCommand(), newCommand())
	return cmd
}

var errFindings = errors.New("there are errors")

func lintCommand() *cobra.Command {
	var format string
	var rules, fix bool
	cmd := &cobra.Command{
		Use: "lint PATH…", Short: "Check definitions; prints file:line:col: rule: message and fails if one is refused",
		RunE: func(cmd *cobra.Command, args []string) error {
			if rules {
				for _, r := range definition.Rules() {
					fmt.Fprintf(cmd.OutOrStdout(), "%-28s %-8s %s\n", r.Name, r.Level, r.Doc)
				}
				return nil
			}
			if len(args) == 0 {
				return errors.New("name the files or directories to check")
			}
			findings, err := lint(args)
			if err != nil {
				return err
			}
			if fix {
				if findings, err = fixAll(cmd.ErrOrStderr(), args, findings); err != nil {
					return err
				}
			}
			if err := definition.WriteFindings(cmd.OutOrStdout(), format, findings); err != nil {
				return err
			}
			if definition.HasErrors(findings) {
				cmd.SilenceErrors = true
				return errFindings
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text, json or sarif")
	cmd.Flags().BoolVar(&rules, "rules", false, "list the rules")
	cmd.Flags().BoolVar(&fix, "fix", false, "mend in the files what can be mended without a decision, and report the rest")
	return cmd
}

// lint checks every file named, and every definition in the directories named, as serving them would.
func lint(paths []string) ([]definition.Finding, error) {
	var findings []definition.Finding
	for _, p := range paths {
		found, err := lintPath(p)
		if err != nil {
			return nil, err
		}
		findings = append(findings, found...)
	}
	return findings, nil
}

func lintPath(p string) ([]definition.Finding, error) {
	info, err := os.Stat(p)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		source, err := os.ReadFile(p) // #nosec G304: named by the user
		if err != nil {
			return nil, err
		}
		_, found := definition.Parse(p, source, beside(p), definition.In(connectors.FS))
		return found, nil
	}
	found, err := definition.Lint(os.DirFS(p), definition.In(connectors.FS))
	for i := range found {
		found[i].File = filepath.Join(p, found[i].File)
	}
	return found, err
}

// beside is the directory of a file, where a definition that it extends may be.
func beside(file string) definition.Parents { return definition.In(os.DirFS(filepath.Dir(file))) }

func explainCommand() *cobra.Command {
	return &cobra.Command{
		Use: "explain ID|FILE", Short: "Print the exact, redacted requests a connector will make", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			k, findings, err := find(args[0], connectors.FS)
			if err != nil {
				return err
			}
			if k == nil {
				if err := definition.WriteFindings(cmd.ErrOrStderr(), "text", findings); err != nil {
					return err
				}
				return errFindings
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), engine.Explain(k, "https://dowel.example.com/callback"))
			return err
		},
	}
}

// find returns the connector of a file, or the one that fsys holds under an id.
func find(what string, fsys fs.FS) (*definition.Connector, []definition.Finding, error) {
	source, err := os.ReadFile(what) // #nosec G304: named by the user
	name, parents := what, []definition.Parents{beside(what), definition.In(connectors.FS)}
	if errors.Is(err, fs.ErrNotExist) {
		name, parents = what+".yaml", []definition.Parents{definition.In(fsys), definition.In(connectors.FS)}
		source, err = fs.ReadFile(fsys, name)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("there is no file and no connector %s", what)
	}
	k, findings := definition.Parse(name, source, parents...)
	return k, findings, nil
}

package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"dowel/connectors"
	"dowel/engine/definition"
)

func importCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "import", Short: "Turn what another system has into a definition"}
	cmd.AddCommand(importFastnCommand())
	return cmd
}

func importFastnCommand() *cobra.Command {
	var out output
	var given definition.Import
	cmd := &cobra.Command{
		Use:   "fastn FILE",
		Short: "Read classic Fastn JSON: a connector group, or one of its auth methods",
		Long: "Writes a definition, and on standard error what could not be carried over, with its place in the JSON. It fails\n" +
			"if something is missing that a definition needs; what there is has been written all the same.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			source, err := readForeign(args[0])
			if err != nil {
				return err
			}
			text, findings := definition.ImportClassic(args[0], source, given)
			return out.write(cmd, text, findings)
		},
	}
	out.flags(cmd)
	cmd.Flags().StringVar(&given.ID, "id", "", "id of the connector; made of its name if empty")
	cmd.Flags().StringVar(&given.Name, "name", "", "name of the connector; the one in the file if empty")
	cmd.Flags().StringVar(&given.BaseURL, "base-url", "", "where the provider's API is")
	return cmd
}

// maxForeign bounds what is read of another system's file.
const maxForeign = 8 << 20

// readForeign reads a file that the user named, as far as it is of use.
func readForeign(name string) ([]byte, error) {
	f, err := os.Open(name) // #nosec G304: named by the user
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read from
	return io.ReadAll(io.LimitReader(f, maxForeign))
}

// output is where a new definition goes.
type output struct {
	file  string
	force bool
}

func (o *output) flags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&o.file, "output", "o", "", "file to write; standard output if empty")
	cmd.Flags().BoolVar(&o.force, "force", false, "write over a file that is there")
}

var errIncomplete = errors.New("the definition has to be completed by hand")

// write writes the definition, what was found on the way, and what is wrong with it.
func (o *output) write(cmd *cobra.Command, text []byte, findings []definition.Finding) error {
	if err := definition.WriteFindings(cmd.ErrOrStderr(), "text", findings); err != nil {
		return err
	}
	if text == nil {
		cmd.SilenceErrors = true
		return errFindings
	}
	name := "(definition)"
	if o.file != "" {
		name = o.file
		if err := o.save(text); err != nil {
			return err
		}
	} else if _, err := cmd.OutOrStdout().Write(text); err != nil {
		return err
	}
	if definition.HasErrors(findings) {
		hint(cmd.ErrOrStderr(), text)
		return errIncomplete // what is wrong with it follows from that
	}
	_, own := definition.Parse(name, text)
	if err := definition.WriteFindings(cmd.ErrOrStderr(), "text", own); err != nil {
		return err
	}
	if definition.HasErrors(own) {
		return errIncomplete
	}
	return nil
}

// hint names the connector of the same id that comes with Dowel: what is missing may stand there.
func hint(w io.Writer, text []byte) {
	var d struct {
		ID string `yaml:"id"`
	}
	if yaml.Unmarshal(text, &d) != nil || d.ID == "" {
		return
	}
	k, _, err := find(d.ID, connectors.FS)
	if err != nil || k == nil {
		return
	}
	fmt.Fprintf(w, "hint: %s comes with Dowel, see dowel connectors explain %s.", k.Name, k.ID)
	for _, a := range k.Auth {
		if a.Authorize != nil && a.Token != nil {
			fmt.Fprintf(w, " It authorizes at %s and gets tokens at %s.", a.Authorize.URL.Source, a.Token.URL.Source)
			break
		}
	}
	fmt.Fprintln(w)
}

func (o *output) save(text []byte) error {
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if o.force {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(o.file, flags, 0o644) // #nosec G302 G304: a definition is no secret, and the user named the file
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there already; write elsewhere, or over it with --force", o.file)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

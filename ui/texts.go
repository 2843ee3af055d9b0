package ui

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"text/template/parse"
)

// texts holds the words of one language by key. A text may hold names in braces, such as
// {connector}, that are filled in where it is used.
type texts map[string]string

func readTexts(file string) (texts, error) {
	content, err := files.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read texts: %w", err)
	}
	var t texts
	if err := json.Unmarshal(content, &t); err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return t, nil
}

// text returns the text of key with its names filled in from pairs of name and value.
func (t texts) text(key string, pairs ...any) (string, error) {
	s, ok := t[key]
	if !ok {
		return "", fmt.Errorf("text %q is missing", key)
	}
	if len(pairs)%2 != 0 {
		return "", fmt.Errorf("text %q: a name without a value", key)
	}
	if len(pairs) == 0 {
		return s, nil
	}
	fill := make([]string, 0, len(pairs))
	for i := 0; i < len(pairs); i += 2 {
		fill = append(fill, "{"+fmt.Sprint(pairs[i])+"}", fmt.Sprint(pairs[i+1]))
	}
	return strings.NewReplacer(fill...).Replace(s), nil
}

// count returns the text of key for n things: key.one or key.other.
func (t texts) count(key string, n int, pairs ...any) (string, error) {
	form := ".other"
	if n == 1 {
		form = ".one"
	}
	return t.text(key+form, append(pairs, "n", strconv.Itoa(n))...)
}

// or returns the text of key, or fallback when there is none: for words that come from data whose
// set is open, such as the categories of connectors.
func (t texts) or(key, fallback string) string {
	if s, ok := t[key]; ok {
		return s
	}
	return fallback
}

// used reports the first text that tree asks for by a literal key and that does not exist.
func (t texts) used(tree *parse.Tree) error {
	if tree == nil || tree.Root == nil {
		return nil
	}
	for _, key := range literalKeys(tree.Root) {
		_, one := t[key+".one"]
		if _, ok := t[key]; !ok && !one {
			return fmt.Errorf("text %q is missing", key)
		}
	}
	return nil
}

// literalKeys collects the keys given to t and tn as plain strings.
func literalKeys(n parse.Node) []string {
	var keys []string
	walk(n, func(c *parse.CommandNode) {
		if len(c.Args) < 2 {
			return
		}
		name, ok := c.Args[0].(*parse.IdentifierNode)
		key, literal := c.Args[1].(*parse.StringNode)
		if ok && literal && (name.Ident == "t" || name.Ident == "tn") {
			keys = append(keys, key.Text)
		}
	})
	return keys
}

// walk calls visit for every command below n.
func walk(n parse.Node, visit func(*parse.CommandNode)) {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, c := range n.Nodes {
			walk(c, visit)
		}
	case *parse.ActionNode:
		walk(n.Pipe, visit)
	case *parse.TemplateNode:
		walk(n.Pipe, visit)
	case *parse.IfNode:
		walkBranch(&n.BranchNode, visit)
	case *parse.RangeNode:
		walkBranch(&n.BranchNode, visit)
	case *parse.WithNode:
		walkBranch(&n.BranchNode, visit)
	case *parse.PipeNode:
		if n == nil {
			return
		}
		for _, c := range n.Cmds {
			visit(c)
			for _, a := range c.Args {
				walk(a, visit)
			}
		}
	}
}

func walkBranch(n *parse.BranchNode, visit func(*parse.CommandNode)) {
	walk(n.Pipe, visit)
	walk(n.List, visit)
	walk(n.ElseList, visit)
}

package simulator

import (
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	"dowel/engine/definition"
)

// What an answer has to look like is not said anywhere but in the expressions that read it. So they
// are run backwards: a value is put where an expression would find it, and a decision is made to come
// out as wanted. Only the parsed form is looked at; nothing is evaluated.

// document is what expressions read: "response", "steps", "option", "token", "callback".
type document map[string]any

// place puts value where e reads it. What was put there before stays.
func (d document) place(e *definition.Expression, value any) {
	if n := parse(e); n != nil {
		d.put(n, value, nil)
	}
}

// list puts entries where e reads a list, and makes them such that e does not filter them out.
func (d document) list(e *definition.Expression, entries []any) {
	n := parse(e)
	for {
		b, ok := n.(*ast.BuiltinNode)
		if !ok || b.Name != "filter" || len(b.Arguments) < 2 {
			break
		}
		for i, entry := range entries {
			of := document{"entry": entry}
			of.make(b.Arguments[1], true, []any{"entry"})
			entries[i] = of["entry"]
		}
		n = b.Arguments[0]
	}
	if n != nil {
		d.put(n, entries, nil)
	}
}

// decide makes e come out as want.
func (d document) decide(e *definition.Expression, want bool) {
	if n := parse(e); n != nil {
		d.make(n, want, nil)
	}
}

func parse(e *definition.Expression) ast.Node {
	if e == nil {
		return nil
	}
	tree, err := parser.Parse(e.Source)
	if err != nil {
		return nil // the definition did not load then
	}
	return tree.Node
}

// reads reports whether e looks at name, such as "response.status".
func reads(e *definition.Expression, name string) bool {
	return e != nil && strings.Contains(e.Source, name)
}

// firstOf are the functions that pick one entry out of a list.
var firstOf = map[string]bool{"find": true, "first": true, "last": true, "findLast": true}

// path returns where n points to. it is what # and a leading dot stand for inside a predicate.
func (d document) path(n ast.Node, it []any) ([]any, bool) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return []any{n.Value}, true
	case *ast.ChainNode:
		return d.path(n.Node, it)
	case *ast.PointerNode:
		return it, it != nil && n.Name == ""
	case *ast.MemberNode:
		base, ok := d.path(n.Node, it)
		if !ok {
			return nil, false
		}
		switch p := n.Property.(type) {
		case *ast.StringNode:
			return join(base, p.Value), true
		case *ast.IntegerNode:
			return join(base, max(p.Value, 0)), true
		}
	case *ast.BinaryNode:
		if n.Operator == "??" {
			return d.path(n.Left, it) // what is there is not fallen back from
		}
	case *ast.CallNode:
		// Whatever token it is of: one is signed for each answer.
		callee, ok := n.Callee.(*ast.IdentifierNode)
		return []any{"claims"}, ok && callee.Value == "jwt_claims"
	case *ast.BuiltinNode:
		if n.Name == "fromJSON" && len(n.Arguments) == 1 {
			return d.path(n.Arguments[0], it) // what is put under a text is written as JSON
		}
		if len(n.Arguments) == 0 || !firstOf[n.Name] && n.Name != "filter" {
			return nil, false
		}
		list, ok := d.path(n.Arguments[0], it)
		if !ok {
			return nil, false
		}
		if len(n.Arguments) > 1 {
			d.make(n.Arguments[1], true, join(list, 0))
		}
		if firstOf[n.Name] {
			return join(list, 0), true
		}
		return list, true
	}
	return nil, false
}

func join(path []any, step any) []any { return append(append([]any{}, path...), step) }

func (d document) put(n ast.Node, value any, it []any) {
	if p, ok := d.path(n, it); ok {
		if now := d.get(p); now == nil || now == something {
			d.set(p, value)
		}
		return
	}
	switch n := n.(type) {
	case *ast.ChainNode:
		d.put(n.Node, value, it)
	case *ast.ConditionalNode:
		// An error code that is another word for value, or none.
		if word, ok := n.Exp1.(*ast.StringNode); ok && word.Value != value {
			d.put(n.Exp2, value, it)
			return
		}
		d.make(n.Cond, true, it)
		d.put(n.Exp1, value, it)
	case *ast.BinaryNode:
		if n.Operator == "+" {
			d.split(n, value, it)
			return
		}
		d.put(n.Left, value, it)
	case *ast.BuiltinNode:
		if list, ok := d.listOf(n, it); ok {
			d.set(list, []any{value})
		} else if len(n.Arguments) > 0 {
			d.put(n.Arguments[0], value, it)
		}
	case *ast.CallNode:
		if len(n.Arguments) > 0 {
			d.put(n.Arguments[0], value, it)
		}
	case *ast.UnaryNode:
		d.put(n.Node, value, it)
	}
}

// listOf is the list that n joins to a text, if nothing is in it yet.
func (d document) listOf(n *ast.BuiltinNode, it []any) ([]any, bool) {
	if n.Name != "join" || len(n.Arguments) == 0 {
		return nil, false
	}
	p, ok := d.path(n.Arguments[0], it)
	return p, ok && d.get(p) == nil
}

// split spreads the words of value over what a + joins.
func (d document) split(n *ast.BinaryNode, value any, it []any) {
	leaves := leaves(n)
	text, ok := value.(string)
	if !ok || len(leaves) == 1 {
		for _, l := range leaves {
			d.put(l, value, it)
		}
		return
	}
	words := strings.SplitN(text, " ", max(len(leaves), 1))
	for i, l := range leaves {
		switch {
		case i < len(words):
			d.put(l, words[i], it)
		case len(words) == 1:
			d.put(l, words[0], it) // an id of several parts has them all
		}
	}
}

// leaves are the parts of a sum that an answer decides: neither constant nor known beforehand.
func leaves(n ast.Node) []ast.Node {
	switch n := n.(type) {
	case *ast.BinaryNode:
		if n.Operator == "+" {
			return append(leaves(n.Left), leaves(n.Right)...)
		}
	case *ast.StringNode, *ast.IntegerNode:
		return nil
	case *ast.MemberNode:
		if root, ok := rootOf(n).(*ast.IdentifierNode); ok && known[root.Value] {
			return nil
		}
	}
	return []ast.Node{n}
}

// known are the names of what was there before the answer.
var known = map[string]bool{
	"inputs": true, "values": true, "fields": true, "environment": true, "app": true, "captured": true, "credential": true,
}

// rootOf is what a chain of members begins with.
func rootOf(n ast.Node) ast.Node {
	for {
		switch m := n.(type) {
		case *ast.MemberNode:
			n = m.Node
		case *ast.ChainNode:
			n = m.Node
		default:
			return n
		}
	}
}

// make makes a decision come out as want.
func (d document) make(n ast.Node, want bool, it []any) {
	if p, ok := d.path(n, it); ok {
		d.set(p, want)
		return
	}
	switch n := n.(type) {
	case *ast.ChainNode:
		d.make(n.Node, want, it)
	case *ast.PredicateNode:
		d.make(n.Node, want, it)
	case *ast.UnaryNode:
		if n.Operator == "!" || n.Operator == "not" {
			d.make(n.Node, !want, it)
		}
	case *ast.BuiltinNode:
		d.makeBuiltin(n, want, it)
	case *ast.BinaryNode:
		d.makeBinary(n, want, it)
	}
}

func (d document) makeBuiltin(n *ast.BuiltinNode, want bool, it []any) {
	if len(n.Arguments) < 2 {
		return
	}
	list, ok := d.path(n.Arguments[0], it)
	if ok && (n.Name == "any" || n.Name == "one" || n.Name == "all") {
		d.make(n.Arguments[1], want, join(list, 0))
	}
	if v, isConstant := constant(n.Arguments[1]); ok && isConstant && want {
		d.set(list, v) // hasPrefix and its like
	}
}

func (d document) makeBinary(n *ast.BinaryNode, want bool, it []any) {
	switch n.Operator {
	case "and", "&&":
		d.make(n.Left, want, it)
		if want {
			d.make(n.Right, want, it)
		}
	case "or", "||":
		d.make(n.Left, want, it)
		if !want {
			d.make(n.Right, want, it)
		}
	case "==":
		d.makeEqual(n, want, it)
	case "!=":
		d.makeEqual(n, !want, it)
	case "in":
		p, ok := d.path(n.Left, it)
		if list, isList := n.Right.(*ast.ArrayNode); ok && isList && want && len(list.Nodes) > 0 {
			if v, isConstant := constant(list.Nodes[0]); isConstant {
				d.set(p, v)
			}
		}
		if p, isList := d.path(n.Right, it); isList && want && d.get(p) == nil {
			if v, isConstant := constant(n.Left); isConstant {
				d.set(p, []any{v})
			}
		}
	case "contains", "startsWith", "endsWith":
		if v, ok := constant(n.Right); ok && want {
			d.put(n.Left, v, it)
		}
	case ">", ">=", "<", "<=":
		d.makeOrdered(n, want, it)
	}
}

// something is what stands where a decision wants any value, until one is put there.
const something = "simulated"

// makeEqual makes a value the same as a constant, or another.
func (d document) makeEqual(n *ast.BinaryNode, same bool, it []any) {
	left, right := n.Left, n.Right
	v, isKnown := d.given(right)
	if !isKnown {
		left, right = right, left
		v, isKnown = d.given(right)
	}
	if text, isText := asText(left); isText {
		left, v = text, asNumber(v)
	}
	p, ok := d.path(left, it)
	if !ok || !isKnown {
		return
	}
	switch now := d.get(p); {
	case v == nil && same:
		d.set(p, nil)
	case v == nil && now == nil:
		d.set(p, something)
	case v == nil:
	case same:
		d.set(p, v)
	default:
		if b, isBool := v.(bool); isBool {
			d.set(p, !b)
		} else if now == v {
			d.set(p, nil)
		}
	}
}

// given is what a formula says without the answer: a constant, or something that d has of before.
func (d document) given(n ast.Node) (any, bool) {
	if v, ok := constant(n); ok {
		return v, true
	}
	root, ok := rootOf(n).(*ast.IdentifierNode)
	if !ok || !before[root.Value] {
		return nil, false
	}
	p, ok := d.path(n, nil)
	v := d.get(p)
	return v, ok && v != nil
}

// before are the names of what a confirmation compares an answer with.
var before = map[string]bool{"callback": true, "fields": true, "steps": true}

// asText is what a formula turns into a text.
func asText(n ast.Node) (ast.Node, bool) {
	b, ok := n.(*ast.BuiltinNode)
	if !ok || b.Name != "string" || len(b.Arguments) != 1 {
		return nil, false
	}
	return b.Arguments[0], true
}

// asNumber is a value as the text of which v is: a number, if it reads as one.
func asNumber(v any) any {
	if n, err := strconv.Atoi(definition.Text(v)); err == nil && strconv.Itoa(n) == v {
		return n
	}
	return v
}

// makeOrdered makes a number, or the length of a list, large or small enough.
func (d document) makeOrdered(n *ast.BinaryNode, want bool, it []any) {
	v, _ := constant(n.Right)
	bound, ok := v.(int)
	if !ok {
		return
	}
	if up := strings.HasPrefix(n.Operator, ">"); up == want {
		bound++
	} else {
		bound--
	}
	if b, isLen := n.Left.(*ast.BuiltinNode); isLen && b.Name == "len" && bound > 0 {
		if p, ok := d.path(b.Arguments[0], it); ok && d.get(p) == nil {
			d.set(join(p, 0), map[string]any{})
		}
		return
	}
	if p, ok := d.path(n.Left, it); ok {
		d.set(p, bound)
	}
}

func constant(n ast.Node) (any, bool) {
	switch n := n.(type) {
	case *ast.NilNode:
		return nil, true
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode:
		return n.Value, true
	case *ast.FloatNode:
		return n.Value, true
	case *ast.BoolNode:
		return n.Value, true
	}
	return nil, false
}

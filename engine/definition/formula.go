package definition

import (
	"errors"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker"
	bytecode "github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/optimizer"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"
)

// maxNodes bounds the size of one formula.
const maxNodes = 200

// maxSource bounds the text of one formula or template.
const maxSource = 8 << 10

// builtins are the functions of expr that formulas may use; the others are switched off so that
// nothing undocumented can be relied on.
var builtins = []string{
	"all", "any", "one", "none", "map", "filter", "find", "first", "last", "len", "keys", "values", "sum",
	"trim", "trimPrefix", "trimSuffix", "upper", "lower", "split", "replace", "join", "indexOf",
	"lastIndexOf", "hasPrefix", "hasSuffix", "int", "float", "string", "toJSON", "fromJSON", "get",
	"type", "concat", "flatten", "sort", "reverse", "take", "date", "duration", "min", "max",
}

// formulas compiles formulas and keeps what it has compiled: a catalogue says the same things many
// times over. What a formula may be named depends on its definition and is checked there; a compiled
// formula depends on its place only. It is not safe for concurrent use.
type formulas struct {
	parser  parser.Parser
	base    *conf.Config
	configs map[place]*conf.Config
	known   map[formulaKey]*formula
}

type formulaKey struct {
	place  place
	source string
}

// formula is one compiled formula, or why it cannot be.
type formula struct {
	program *vm.Program
	path    []string // see Expression
	uses    []use
	fault   *formulaFault
}

// formulaFault says what is wrong with a formula, and where: in characters from its beginning.
type formulaFault struct {
	rule, message string
	offset        int
	given, meant  string // a name that is not known, and the one that is most like it
}

func newFormulas() *formulas {
	return &formulas{configs: map[place]*conf.Config{}, known: map[formulaKey]*formula{}}
}

// config is how the formulas of p are compiled.
func (fs *formulas) config(p place) *conf.Config {
	if c, ok := fs.configs[p]; ok {
		return c
	}
	if fs.base == nil {
		fs.base = baseConfig()
	}
	c := *fs.base // the tables of functions are only read
	c.WithEnv(p.types())
	fs.configs[p] = &c
	return &c
}

// baseConfig is what the formulas of all places have in common.
func baseConfig() *conf.Config {
	c := conf.CreateNew()
	opts := []expr.Option{expr.MaxNodes(maxNodes), expr.DisableAllBuiltins()}
	for _, b := range builtins {
		opts = append(opts, expr.EnableBuiltin(b))
	}
	for _, f := range functions() {
		opts = append(opts, expr.Function(f.Name, f.call, f.types...))
	}
	for _, o := range opts {
		o(c)
	}
	for name := range c.Disabled {
		delete(c.Builtins, name)
	}
	return c
}

// compile compiles source for p.
func (fs *formulas) compile(source string, p place) *formula {
	key := formulaKey{p, source}
	if f, ok := fs.known[key]; ok {
		return f
	}
	f := fs.compileNew(source, p)
	fs.known[key] = f
	return f
}

func (fs *formulas) compileNew(source string, p place) *formula {
	switch {
	case strings.TrimSpace(source) == "":
		return &formula{fault: &formulaFault{rule: "formula", message: "the formula is empty"}}
	case len(source) > maxSource:
		return &formula{fault: &formulaFault{rule: "formula", message: "the formula is too long"}}
	}
	config := fs.config(p)
	fs.parser = parser.Parser{} // it keeps count of nodes over several texts
	tree, err := fs.parser.Parse(source, config)
	if err != nil {
		return &formula{fault: explained(err)}
	}
	f := &formula{uses: usesIn(&tree.Node), path: pathOf(source)}
	if f.fault = p.allows(f.uses); f.fault != nil {
		return f
	}
	if f.fault = affordable(tree.Node); f.fault != nil {
		return f
	}
	ast.Walk(&tree.Node, lenient{})
	if _, err = new(checker.Checker).Check(tree, config); err == nil {
		err = optimizer.Optimize(&tree.Node, config)
	}
	if err == nil {
		f.program, err = bytecode.Compile(tree, config)
	}
	if err != nil {
		f.fault = explained(err)
	}
	return f
}

// lenient lets a formula read past a member that an answer does not have: the result is nil.
type lenient struct{}

// Visit makes every member access optional, as if written with ?.
func (lenient) Visit(node *ast.Node) {
	m, ok := (*node).(*ast.MemberNode)
	if !ok || m.Method || m.Optional {
		return
	}
	m.Optional = true
	ast.Patch(node, &ast.ChainNode{Node: m})
}

// use is a name that a formula reads: inputs.subdomain, or all of inputs if name is empty.
type use struct {
	root, name string
	offset     int  // in characters from the beginning of the formula
	hashed     bool // it comes out as a keyed hash and not as it is
	key        bool // it is the key of that hash
}

// usesIn lists what a formula reads. A root that is read whole, or by a name that is computed, has
// an empty name.
func usesIn(node *ast.Node) []use {
	c := &useCollector{named: map[ast.Node]bool{}, at: map[ast.Node]int{}}
	ast.Walk(node, c)
	for _, id := range c.roots {
		if !c.named[id] {
			c.uses = append(c.uses, use{root: id.Value, offset: id.Location().From})
		}
	}
	slices.SortFunc(c.uses, func(a, b use) int { return a.offset - b.offset })
	return c.uses
}

type useCollector struct {
	roots []*ast.IdentifierNode
	named map[ast.Node]bool
	at    map[ast.Node]int // of a member that is read, in uses
	uses  []use
}

// Visit is called for the parts of a node before the node.
func (c *useCollector) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		c.roots = append(c.roots, n)
	case *ast.MemberNode:
		name, ok := n.Property.(*ast.StringNode)
		if !ok {
			return
		}
		of := n.Node
		if chain, ok := of.(*ast.ChainNode); ok {
			of = chain.Node
		}
		if id, ok := of.(*ast.IdentifierNode); ok {
			c.named[id], c.at[n] = true, len(c.uses)
			c.uses = append(c.uses, use{root: id.Value, name: name.Value, offset: id.Location().From})
		}
		if m, ok := of.(*ast.MemberNode); ok {
			parent, _ := m.Node.(*ast.IdentifierNode)
			list, _ := m.Property.(*ast.StringNode)
			if parent != nil && list != nil {
				c.uses = append(c.uses, use{root: parent.Value + "." + list.Value, name: name.Value, offset: parent.Location().From})
			}
		}
	case *ast.CallNode:
		f, ok := n.Callee.(*ast.IdentifierNode)
		if !ok || !strings.HasPrefix(f.Value, "hmac_") || len(n.Arguments) == 0 {
			return
		}
		for arg, a := range n.Arguments {
			if i, ok := c.at[a]; ok {
				c.uses[i].hashed, c.uses[i].key = true, arg == 0
			}
		}
	}
}

// explained keeps the first line of expr's message: the rest is a drawing of the source.
func explained(err error) *formulaFault {
	var fe *file.Error
	if errors.As(err, &fe) {
		rule := "formula"
		if strings.HasPrefix(fe.Message, "unknown name") {
			rule = "unknown-name"
		}
		return &formulaFault{rule: rule, message: fe.Message, offset: fe.From}
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return &formulaFault{rule: "formula", message: first}
}

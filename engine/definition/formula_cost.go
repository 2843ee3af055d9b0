package definition

import (
	"fmt"
	"slices"

	"github.com/expr-lang/expr/ast"
)

// maxGrowth bounds how many times the size of what it reads a formula may produce.
const maxGrowth = 200

// affordable refuses formulas that could take long or fill the memory, whatever they read: expr
// counts the elements of lists, but neither the length of texts nor the time.
func affordable(n ast.Node) *formulaFault {
	c := &cost{vars: map[string]int{}, large: map[string]bool{}}
	grown := c.of(n)
	if c.fault == nil && grown > maxGrowth {
		c.refuse(n, fmt.Sprintf("the formula may produce more than %d times what it reads", maxGrowth))
	}
	return c.fault
}

type cost struct {
	vars   map[string]int
	large  map[string]bool // variables that may hold a whole answer
	inside int             // predicates around this node
	fault  *formulaFault
}

func (c *cost) refuse(n ast.Node, why string) {
	if c.fault == nil {
		c.fault = &formulaFault{rule: "formula-cost", message: why, offset: n.Location().From}
	}
}

// of estimates how much n yields: one for each value it reads, multiplied where something is repeated.
func (c *cost) of(n ast.Node) int {
	switch n := n.(type) {
	case nil:
		return 0
	case *ast.StringNode:
		return 1 + len(n.Value)/32
	case *ast.IdentifierNode:
		if v, ok := c.vars[n.Value]; ok {
			return v
		}
	case *ast.UnaryNode:
		return c.of(n.Node)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ChainNode:
		return c.of(n.Node)
	case *ast.MemberNode:
		return c.sum(n.Node, n.Property)
	case *ast.SliceNode:
		return c.sum(n.Node, n.From, n.To)
	case *ast.CallNode:
		c.looped(n)
		return c.times(factor(n.Callee), c.sum(n.Arguments...))
	case *ast.BuiltinNode:
		return c.builtin(n)
	case *ast.PredicateNode:
		return c.predicate(n)
	case *ast.ConditionalNode:
		return c.sum(n.Cond, n.Exp1, n.Exp2)
	case *ast.VariableDeclaratorNode:
		c.vars[n.Name], c.large[n.Name] = c.of(n.Value), c.whole(n.Value)
		return c.of(n.Expr)
	case *ast.SequenceNode:
		return c.sum(n.Nodes...)
	case *ast.ArrayNode:
		return c.sum(n.Nodes...)
	case *ast.MapNode:
		return c.sum(n.Pairs...)
	case *ast.PairNode:
		return c.sum(n.Key, n.Value)
	}
	return 1
}

func (c *cost) sum(ns ...ast.Node) int {
	total := 0
	for _, n := range ns {
		if n != nil {
			total = min(total+c.of(n), 1<<20)
		}
	}
	return total
}

func (c *cost) times(a, b int) int { return min(max(a, 1)*max(b, 1), 1<<20) }

func (c *cost) binary(n *ast.BinaryNode) int {
	switch n.Operator {
	case "..":
		c.refuse(n, "ranges are not used in definitions")
	case "matches":
		if _, literal := n.Right.(*ast.StringNode); !literal {
			c.refuse(n, "the pattern of matches must be written out")
		}
	}
	return c.sum(n.Left, n.Right)
}

// predicate refuses a loop in a loop: over a long answer, it would not end while anyone waits.
func (c *cost) predicate(n *ast.PredicateNode) int {
	if c.inside > 0 {
		c.refuse(n, "a loop inside a loop is not allowed")
	}
	c.inside++
	defer func() { c.inside-- }()
	return c.of(n.Node)
}

// looped refuses one of our functions that is called for every entry of a list and reads the whole of
// something long each time: over a long answer, that would not end while anyone waits.
func (c *cost) looped(n *ast.CallNode) {
	for _, a := range n.Arguments {
		if c.inside > 0 && c.whole(a) {
			c.refuse(n, "inside a loop a function reads the entry, not the whole answer or body")
		}
	}
}

// long are the roots behind which something long may be.
var long = []string{"response", "steps", "token", "request", "callback"}

// whole reports whether n reads something long that is not a part of the entry of a loop.
func (c *cost) whole(n ast.Node) bool {
	found := false
	ast.Walk(&n, visitor(func(n ast.Node) {
		if id, ok := n.(*ast.IdentifierNode); ok {
			found = found || slices.Contains(long, id.Value) || c.large[id.Value]
		}
	}))
	return found
}

// visitor is a function that ast.Walk calls for every node.
type visitor func(ast.Node)

// Visit implements ast.Visitor.
func (f visitor) Visit(n *ast.Node) { f(*n) }

func (c *cost) builtin(n *ast.BuiltinNode) int {
	sizes := make([]int, len(n.Arguments))
	sum := 0
	for i, a := range n.Arguments {
		sizes[i] = c.of(a)
		sum = min(sum+sizes[i], 1<<20)
	}
	switch n.Name {
	case "map":
		if len(sizes) == 2 {
			return c.times(sizes[0], sizes[1])
		}
	case "toJSON":
		return c.times(6, sum) // \u00xx
	case "upper", "lower":
		return c.times(3, sum)
	case "replace":
		return c.putIn(n, 2, sum)
	case "join":
		return c.putIn(n, 1, sum)
	}
	return sum
}

// putIn is the size of a text into which argument i is put as often as the text is long.
func (c *cost) putIn(n *ast.BuiltinNode, i, sum int) int {
	if i >= len(n.Arguments) {
		return sum
	}
	s, literal := n.Arguments[i].(*ast.StringNode)
	if !literal {
		c.refuse(n, fmt.Sprintf("what %s puts in must be written out", n.Name))
		return sum
	}
	return c.times(1+len(s.Value), sum)
}

// factor is how much longer than its argument the result of one of our functions may be.
func factor(callee ast.Node) int {
	id, _ := callee.(*ast.IdentifierNode)
	if id == nil {
		return 1
	}
	switch id.Value {
	case "urlencode":
		return 3
	case "base64", "base64url", "hex":
		return 2
	}
	return 1
}

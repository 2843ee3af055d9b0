//go:build race

package definition

// slowdown is how much slower the race detector makes what is measured.
const slowdown = 15

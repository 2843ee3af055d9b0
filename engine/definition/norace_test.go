//go:build !race

package definition

// slowdown is for the race detector, which is off.
const slowdown = 1

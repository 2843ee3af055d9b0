//go:build !unix

package main

// limitCore does nothing where there are no core dumps to limit.
func limitCore() {}

//go:build unix

package main

import "syscall"

// limitCore keeps secrets in memory out of core dumps. Where it is not permitted there is nothing more
// to be done.
func limitCore() { _ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}) }

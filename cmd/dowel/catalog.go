package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"dowel/connectors"
	"dowel/engine/definition"
)

// library is where the process's definitions come from: those that come with the binary, and the
// operator's own directory over them, which is followed while the process runs.
type library struct {
	catalog *definition.Catalog
	own     *definition.Directory // nil without a directory
	log     *slog.Logger
}

// openLibrary reads the operator's definitions, and those that come with the binary when they are asked
// for: they were checked when it was built. A broken file of the operator's is left out, with its
// findings in the log.
func openLibrary(c *Config, log *slog.Logger) (*library, error) {
	catalog, err := definition.Open(connectors.FS)
	if err != nil {
		return nil, err
	}
	l := &library{catalog: catalog, log: log}
	if c.ConnectorsDir == "" {
		return l, nil
	}
	l.own = &definition.Directory{FS: os.DirFS(c.ConnectorsDir), Parents: []definition.Parents{definition.In(connectors.FS)}}
	if _, err := l.reload(); err != nil {
		return nil, fmt.Errorf("DOWEL_CONNECTORS_DIR: %w", err)
	}
	return l, nil
}

// reload serves what the directory says now, and reports whether that is something else than before.
func (l *library) reload() (bool, error) {
	own, findings, changed, err := l.own.Load()
	if err != nil || !changed {
		return false, err
	}
	report(l.log, findings)
	l.catalog.Replace(own)
	return true, nil
}

// lookEvery is how soon a change of the directory is noticed.
const lookEvery = time.Second

// follow compiles what is not yet, so that nobody waits for it, and serves what is changed in the
// directory, until ctx ends.
func (l *library) follow(ctx context.Context) error {
	compileAll(l.catalog)
	if l.own == nil {
		return nil
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		changed, err := l.reload()
		switch {
		case err != nil && !failing:
			l.log.Error("the connectors directory cannot be read; what was read before is served", "err", err)
		case changed:
			l.log.Info("connectors read again", "connectors", len(l.catalog.Shared()))
		}
		failing = err != nil
	}
}

// compileAll compiles the process's definitions. Reading takes ten times the memory that keeping does, so
// the collector runs often meanwhile, and what it frees is given back.
func compileAll(c *definition.Catalog) {
	defer debug.SetGCPercent(debug.SetGCPercent(30))
	c.Shared()
	debug.FreeOSMemory()
}

func report(log *slog.Logger, findings []definition.Finding) {
	for _, f := range findings {
		if f.Level == definition.LevelError {
			log.Error("definition refused", "finding", f.String())
		}
	}
}

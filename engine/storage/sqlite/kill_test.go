package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"dowel/engine/storage"
	"dowel/engine/storage/storagetest"
)

// childPath makes this binary a writer to be killed, in the file and the tenant that are named.
const (
	childPath   = "DOWEL_TEST_SQLITE_CHILD"
	childTenant = "DOWEL_TEST_SQLITE_TENANT"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childPath); path != "" {
		writeUntilKilled(path)
	}
	goleak.VerifyTestMain(m)
}

// writeUntilKilled creates connections from several goroutines and prints a line for each write that was
// answered.
func writeUntilKilled(path string) {
	s, err := Open(context.Background(), path)
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	var out sync.Mutex
	say := func(line string) {
		out.Lock()
		defer out.Unlock()
		fmt.Println(line)
	}
	for worker := range 4 {
		go func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("conn_%d_%d", worker, i)
				if err := s.CreateConnection(context.Background(), storagetest.Connection(os.Getenv(childTenant), id)); err != nil {
					say("error " + err.Error())
				}
				say("created " + id)
			}
		}()
	}
	select {}
}

// TestAnsweredWritesSurviveAKill kills a writing process again and again, and looks for everything it
// had been answered.
func TestAnsweredWritesSurviveAKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dowel.db")
	answered := 0
	for round := range 3 {
		tenant := fmt.Sprint("round ", round)
		ids := killedWriter(t, path, tenant, 300*time.Millisecond)
		s := open(t, path)
		for _, id := range ids {
			if _, err := s.Connection(t.Context(), storage.Ref{Tenant: tenant, ID: id}); err != nil {
				t.Errorf("%s was answered, and is lost: %v", id, err)
			}
		}
		var check string
		if err := s.reads.row("PRAGMA integrity_check", nil, &check); err != nil || check != "ok" {
			t.Errorf("integrity: %s, %v", check, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		answered += len(ids)
	}
	if answered < 100 {
		t.Errorf("only %d writes were answered before the kills", answered)
	}
	t.Logf("%d answered writes, none lost", answered)
}

// killedWriter runs a writer for a while after its first answer, kills it, and returns what it was
// answered.
func killedWriter(t *testing.T, path, tenant string, after time.Duration) (ids []string) {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childPath+"="+path, childTenant+"="+tenant)
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	var kill *time.Timer
	for lines.Scan() {
		if kill == nil {
			kill = time.AfterFunc(after, func() { _ = command.Process.Kill() })
		}
		id, ok := strings.CutPrefix(lines.Text(), "created ")
		if !ok {
			t.Errorf("the writer says %q", lines.Text())
			continue
		}
		ids = append(ids, id)
	}
	if err := command.Wait(); err == nil {
		t.Error("the writer ended by itself")
	}
	return ids
}

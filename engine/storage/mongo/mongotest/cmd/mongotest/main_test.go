package main_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// process is one running mongotest.
type process struct {
	command *exec.Cmd
	input   io.Closer
	lines   *bufio.Reader
	ended   chan error
}

func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "mongotest")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

func start(t *testing.T, binary string, arguments ...string) *process {
	t.Helper()
	p := &process{command: exec.Command(binary, arguments...), ended: make(chan error, 1)}
	p.command.Stderr = os.Stderr
	input, err := p.command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	p.input, p.lines = input, bufio.NewReader(output)
	ended := make(chan struct{})
	t.Cleanup(func() {
		p.command.Process.Kill()
		<-ended
	})
	go func() {
		defer close(ended)
		_, err := p.command.Process.Wait()
		p.ended <- err
	}()
	return p
}

func (p *process) line(t *testing.T) string {
	t.Helper()
	line, err := p.lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

func (p *process) wantEnd(t *testing.T) {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(5 * time.Second):
		t.Fatal("still running after 5 s")
	}
}

func connect(t *testing.T, uri string) *mongo.Collection {
	t.Helper()
	client, err := mongo.Connect(t.Context(), options.Client().ApplyURI(uri).SetServerSelectionTimeout(5*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Disconnect(context.Background()) })
	return client.Database("dowel").Collection("connections")
}

func TestEndsWhenItsInputCloses(t *testing.T) {
	p := start(t, build(t))
	if uri := p.line(t); !strings.HasPrefix(uri, "mongodb://127.0.0.1:") {
		t.Errorf("first line %q", uri)
	}
	p.input.Close()
	p.wantEnd(t)
}

func TestEndsOnTerminate(t *testing.T) {
	p := start(t, build(t), "-control", "127.0.0.1:0")
	p.line(t)
	if control := p.line(t); !strings.HasPrefix(control, "http://127.0.0.1:") {
		t.Errorf("second line %q", control)
	}
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.wantEnd(t)
}

func TestPausedAnswersNobody(t *testing.T) {
	p := start(t, build(t))
	collection := connect(t, p.line(t))
	if _, err := collection.InsertOne(t.Context(), bson.D{{Key: "_id", Value: 1}}); err != nil {
		t.Fatal(err)
	}
	if err := p.command.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	// The signal is only noted when it is sent: a busy system may let a few more answers through.
	var err error
	for range 20 {
		short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		err = collection.FindOne(short, bson.D{}).Err()
		cancel()
		if err != nil {
			break
		}
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("paused: got %v, want the deadline", err)
	}
	if err := p.command.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err := collection.FindOne(t.Context(), bson.D{}).Err(); err != nil {
		t.Errorf("resumed: %v", err)
	}
}

// Every acknowledged increment is there after each kill, and none twice: a
// driver that lost its answer repeats the write to the process that came after.
func TestKilledLosesNoAcknowledgedWrite(t *testing.T) {
	binary, data := build(t), filepath.Join(t.TempDir(), "data")
	p := start(t, binary, "-data", data)
	uri := p.line(t)
	address := strings.TrimPrefix(strings.Split(uri, "/?")[0], "mongodb://")
	collection := connect(t, uri)
	if _, err := collection.InsertOne(t.Context(), bson.D{{Key: "_id", Value: "n"}, {Key: "count", Value: int64(0)}}); err != nil {
		t.Fatal(err)
	}
	increment := bson.D{{Key: "$inc", Value: bson.D{{Key: "count", Value: int64(1)}}}}
	acknowledged, unknown := int64(0), int64(0)
	for range 5 {
		finished := make(chan struct{})
		go func() {
			defer close(finished)
			for ends := time.Now().Add(400 * time.Millisecond); time.Now().Before(ends); {
				if _, err := collection.UpdateByID(t.Context(), "n", increment); err == nil {
					acknowledged++
				} else {
					unknown++
				}
			}
		}()
		time.Sleep(200 * time.Millisecond)
		p.command.Process.Kill()
		p.wantEnd(t)
		p = start(t, binary, "-data", data, "-listen", address)
		if again := p.line(t); again != uri {
			t.Fatalf("restarted as %q, was %q", again, uri)
		}
		<-finished
	}
	var got struct{ Count int64 }
	if err := collection.FindOne(t.Context(), bson.D{{Key: "_id", Value: "n"}}).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Count < acknowledged || got.Count > acknowledged+unknown {
		t.Errorf("count is %d: %d writes were acknowledged, of %d it is unknown", got.Count, acknowledged, unknown)
	}
	t.Logf("%d acknowledged, %d unknown, %d counted", acknowledged, unknown, got.Count)
}

// A program that uses what Go's runtime asks of a machine, and emulators get wrong: gb binfmt check --deep builds it, runs it, and
// reads its last line. Each part says when it has run; a part that finds something wrong says what, and ends the program with 1.
package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// patience is for a part that waits for something; gb has a limit for the whole.
const patience = 20 * time.Second

var parts = []struct {
	name string
	run  func() error
}{
	{"memory", memory},
	{"threads", threads},
	{"preemption", preemption},
	{"signals", signals},
	{"timers", timers},
	{"panics", panics},
	{"numbers", numbers},
	{"files", files},
	{"child", child},
	{"network", network},
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "child" {
		text, err := io.ReadAll(os.Stdin)
		if err != nil {
			os.Exit(1)
		}
		fmt.Printf("%s %s %s", os.Args[2], runtime.GOARCH, text)
		os.Exit(7)
	}
	runtime.GOMAXPROCS(4)
	debug.SetGCPercent(10)
	passed := make([]string, 0, len(parts))
	for _, part := range parts {
		if err := part.run(); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", part.name, err)
			os.Exit(1)
		}
		fmt.Println("ran", part.name)
		passed = append(passed, part.name)
	}
	fmt.Println("all of", strings.Join(passed, " "), "by", runtime.Version())
}

// A tree that is changed while it is collected, and maps and byte slices beside it.
type tree struct {
	left, right *tree
	sum         int
}

func grow(depth int) *tree {
	if depth == 0 {
		return &tree{sum: 1}
	}
	t := &tree{left: grow(depth - 1), right: grow(depth - 1)}
	t.sum = t.left.sum + t.right.sum
	return t
}

func memory() error {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	kept := grow(14)
	var wait sync.WaitGroup
	wrong := make(chan error, 4)
	for worker := 0; worker < 4; worker++ {
		wait.Add(1)
		go func(worker int) {
			defer wait.Done()
			seen := map[int][]byte{}
			for n := 0; n < 3000; n++ {
				seen[n%64] = bytes.Repeat([]byte{byte(n)}, 64+n%512)
				if short := grow(4); short.sum != 16 {
					wrong <- fmt.Errorf("a tree of 16 leaves has %d", short.sum)
					return
				}
			}
			for n, text := range seen {
				if int(text[0])%64 != n {
					wrong <- fmt.Errorf("a slice in a map has changed")
					return
				}
			}
		}(worker)
	}
	wait.Wait()
	runtime.GC()
	runtime.ReadMemStats(&after)
	select {
	case err := <-wrong:
		return err
	default:
	}
	if kept.sum != 1<<14 || after.NumGC == before.NumGC {
		return fmt.Errorf("%d leaves are left of %d, after %d collections", kept.sum, 1<<14, after.NumGC-before.NumGC)
	}
	return nil
}

// Many goroutines, some on threads of their own, that wait for each other.
func threads() error {
	const goroutines, rounds = 64, 200
	var count int64
	var sum int
	var mutex sync.Mutex
	var wait sync.WaitGroup
	ring := make(chan int, 1)
	for n := 0; n < goroutines; n++ {
		wait.Add(1)
		go func(n int) {
			defer wait.Done()
			if n%8 == 0 {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
			}
			for round := 0; round < rounds; round++ {
				atomic.AddInt64(&count, 1<<33)
				mutex.Lock()
				sum++
				mutex.Unlock()
				if round%32 == 0 {
					ring <- n
					<-ring
				}
			}
		}(n)
	}
	wait.Wait()
	if count != goroutines*rounds<<33 || sum != goroutines*rounds {
		return fmt.Errorf("%d and %d of %d were counted", count>>33, sum, goroutines*rounds)
	}
	return nil
}

// A loop that calls nothing can only be interrupted by a signal (SIGURG), which a collection has to wait for.
func preemption() error {
	var stop int32
	var wait sync.WaitGroup
	for n := 0; n < 3; n++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for atomic.LoadInt32(&stop) == 0 {
			}
		}()
	}
	done := make(chan struct{})
	go func() {
		for n := 0; n < 5; n++ {
			runtime.GC()
		}
		close(done)
	}()
	var err error
	select {
	case <-done:
	case <-time.After(patience):
		err = errors.New("loops were not interrupted")
	}
	atomic.StoreInt32(&stop, 1)
	wait.Wait()
	return err
}

func signals() error {
	received := make(chan os.Signal, 1)
	signal.Notify(received, syscall.SIGUSR1)
	defer signal.Stop(received)
	for n := 0; n < 200; n++ {
		if err := syscall.Kill(os.Getpid(), syscall.SIGUSR1); err != nil {
			return err
		}
		select {
		case <-received:
		case <-time.After(patience):
			return fmt.Errorf("SIGUSR1 number %d was not received", n)
		}
	}
	return nil
}

func timers() error {
	const count = 100
	started := time.Now()
	fired := make(chan int, count)
	for n := 0; n < count; n++ {
		n := n
		time.AfterFunc(time.Duration(n%10)*time.Millisecond, func() { fired <- n })
	}
	late := time.After(patience)
	for n := 0; n < count; n++ {
		select {
		case <-fired:
		case <-late:
			return fmt.Errorf("%d of %d timers were not heard of", count-n, count)
		}
	}
	if passed := time.Since(started); passed < 9*time.Millisecond {
		return fmt.Errorf("9 ms were over after %v", passed)
	}
	return nil
}

// What the runtime makes of a program's faults; and a stack that has to be moved. No nil pointer: under QEMU's ppc64 and ppc64le (7.2
// and 10.0) one dereference in some hundred ends a program for "unexpected fault address" (golang/go#71800), and a check that says
// something else each time says nothing.
func panics() error {
	try := func(do func()) (message string) {
		defer func() { message = fmt.Sprint(recover()) }()
		do()
		return ""
	}
	zero := len(os.Args) - len(os.Args)
	for _, attempt := range []struct {
		do       func()
		expected string
	}{
		{func() { panic("own") }, "own"},
		{func() { zero = 1 / zero }, "divide by zero"},
		{func() { _ = os.Args[zero-1] }, "out of range"},
	} {
		for n := 0; n < 100; n++ {
			if message := try(attempt.do); !strings.Contains(message, attempt.expected) {
				return fmt.Errorf("%q was to be a panic of %q", message, attempt.expected)
			}
		}
	}
	if sum := deep(20000); sum != 20000 {
		return fmt.Errorf("20000 calls deep it is %d", sum)
	}
	return nil
}

func deep(n int) (sum int) {
	var frame [32]int
	frame[n%32] = n
	if n == 0 {
		return 0
	}
	defer func() { sum += frame[n%32] - n }()
	return deep(n-1) + 1
}

func numbers() error {
	half, third := 0.5, 1.0/3
	if math.Sqrt(half)*math.Sqrt(half)-half > 1e-15 || third*3 != 1 || math.FMA(third, 3, -1) != -math.Ldexp(1, -54) {
		return errors.New("floating point is off")
	}
	if nan := math.NaN(); nan == nan || math.Float32bits(float32(third)) != 0x3eaaaaab || uint64(math.Ldexp(1, 63)) != 1<<63 {
		return errors.New("floating point is off at its limits")
	}
	factorial := new(big.Int).MulRange(1, 50).String()
	if factorial != "30414093201713378043612608166064768844377641568960512000000000000" {
		return fmt.Errorf("50! is %s", factorial)
	}
	text := bytes.Repeat([]byte("gb"), 1000)
	if sum := crc32.ChecksumIEEE(text); sum != 0x3e16b504 {
		return fmt.Errorf("a CRC is %x", sum)
	}
	if sum := fmt.Sprintf("%x", sha256.Sum256(text))[:16]; sum != "33fdedea6d3f1c63" {
		return fmt.Errorf("a SHA-256 begins with %s", sum)
	}
	return nil
}

func files() error {
	dir, err := os.MkdirTemp("", "files")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	text := bytes.Repeat([]byte("0123456789abcdef"), 1<<15)
	first, second := filepath.Join(dir, "first"), filepath.Join(dir, "second")
	if err := os.WriteFile(first, text, 0o640); err != nil {
		return err
	}
	if err := os.Rename(first, second); err != nil {
		return err
	}
	found, err := os.ReadDir(dir)
	if err != nil || len(found) != 1 || found[0].Name() != "second" {
		return fmt.Errorf("a directory lists %v, %v", found, err)
	}
	info, err := os.Stat(second)
	if err != nil || info.Size() != int64(len(text)) || info.Mode().Perm()&^0o640 != 0 {
		return fmt.Errorf("a file is %v, %v", info, err)
	}
	file, err := os.Open(second)
	if err != nil {
		return err
	}
	defer file.Close()
	mapped, err := syscall.Mmap(int(file.Fd()), 0, len(text), syscall.PROT_READ, syscall.MAP_PRIVATE)
	if err != nil {
		return fmt.Errorf("map a file: %w", err)
	}
	defer syscall.Munmap(mapped)
	if !bytes.Equal(mapped, text) {
		return errors.New("a mapped file has other bytes")
	}
	return nil
}

// Itself, as programs do that start themselves again.
func child() error {
	self := "/proc/self/exe"
	if _, err := os.Stat(self); err != nil {
		self = os.Args[0]
	}
	command := exec.Command(self, "child", "argument")
	command.Stdin = strings.NewReader("input")
	output, err := command.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 7 {
		return fmt.Errorf("start itself: %v: %.80q", err, output)
	}
	if expected := "argument " + runtime.GOARCH + " input"; string(output) != expected {
		return fmt.Errorf("it answers %.80q and not %q", output, expected)
	}
	return nil
}

// By a network interface of its own, which may be down, else by a socket's path.
func network() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		if err = echo(listener); err == nil {
			return nil
		}
	}
	if !errors.Is(err, syscall.ENETUNREACH) && !errors.Is(err, syscall.EADDRNOTAVAIL) {
		return err
	}
	dir, err := os.MkdirTemp("", "network")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	listener, err = net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		return err
	}
	return echo(listener)
}

func echo(listener net.Listener) error {
	defer listener.Close()
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				io.Copy(connection, connection)
			}()
		}
	}()
	const clients = 8
	answers := make(chan error, clients)
	for n := 0; n < clients; n++ {
		go func(n int) { answers <- ask(listener.Addr(), n) }(n)
	}
	var first error
	for n := 0; n < clients; n++ {
		if err := <-answers; err != nil && first == nil {
			first = err
		}
	}
	return first
}

func ask(address net.Addr, n int) error {
	connection, err := net.DialTimeout(address.Network(), address.String(), patience)
	if err != nil {
		return err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	for round := 0; round < 20; round++ {
		question := []byte(fmt.Sprintf("client %d, round %d", n, round))
		if _, err := connection.Write(question); err != nil {
			return err
		}
		answer := make([]byte, len(question))
		if _, err := io.ReadFull(connection, answer); err != nil {
			return err
		}
		if !bytes.Equal(question, answer) {
			return fmt.Errorf("%q came back as %q", question, answer)
		}
	}
	return nil
}

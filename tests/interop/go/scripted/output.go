package scripted

import (
	"bytes"
	"context"
	"io"
	"sync"
)

type piece struct {
	source string
	data   []byte
}

// output is what a job printed, in the order in which it came.
type output struct {
	mu      sync.Mutex
	changed *sync.Cond
	pieces  []piece
	ended   bool
}

func newOutput() *output {
	o := &output{}
	o.changed = sync.NewCond(&o.mu)
	return o
}

func (o *output) writer(source string) io.Writer { return &stream{o, source} }

func (o *output) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	o.changed.Broadcast()
}

// piece waits for the piece of this number; false where there is none and will be none.
func (o *output) piece(ctx context.Context, number int) (piece, bool) {
	stop := context.AfterFunc(ctx, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.changed.Broadcast()
	})
	defer stop()
	o.mu.Lock()
	defer o.mu.Unlock()
	for number >= len(o.pieces) && !o.ended && ctx.Err() == nil {
		o.changed.Wait()
	}
	if number >= len(o.pieces) || ctx.Err() != nil {
		return piece{}, false
	}
	return o.pieces[number], true
}

type stream struct {
	output *output
	source string
}

func (s *stream) Write(data []byte) (int, error) {
	s.output.mu.Lock()
	defer s.output.mu.Unlock()
	s.output.pieces = append(s.output.pieces, piece{s.source, bytes.Clone(data)})
	s.output.changed.Broadcast()
	return len(data), nil
}

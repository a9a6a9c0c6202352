package pagerduty

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const maxAnswer = 32 << 20

// whole gives one call its time, and reads its answer to the end within it: what comes out of here cannot break off.
type whole struct {
	next    http.RoundTripper
	timeout time.Duration
}

// A body is an answer's, read already.
type body struct {
	*bytes.Reader
	all []byte
}

func (body) Close() error { return nil }

func (w *whole) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), w.timeout)
	defer cancel()
	resp, err := w.read(req.WithContext(ctx))
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) && req.Context().Err() == nil {
		return nil, fmt.Errorf("no answer within %s: %w", w.timeout, err)
	}
	return resp, err
}

func (w *whole) read(req *http.Request) (*http.Response, error) {
	resp, err := w.next.RoundTrip(req)
	if err != nil {
		return nil, err // the transport's words, to which there is nothing to add
	}
	defer resp.Body.Close() // all that matters was read before
	all, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the answer: %w", err)
	case len(all) > maxAnswer:
		return nil, fmt.Errorf("the answer is over %d bytes", maxAnswer)
	}
	setBody(resp, all)
	return resp, nil
}

func setBody(resp *http.Response, all []byte) {
	resp.Body, resp.ContentLength = body{bytes.NewReader(all), all}, int64(len(all))
}

// bodyOf returns the whole body of an answer that came through whole.
func bodyOf(resp *http.Response) []byte {
	if b, ok := resp.Body.(body); ok {
		return b.all
	}
	return nil
}

// again returns req with its body at the beginning.
func again(req *http.Request) (*http.Request, error) {
	fresh := req.Clone(req.Context())
	if req.Body == nil || req.Body == http.NoBody {
		return fresh, nil
	}
	if req.GetBody == nil {
		return nil, errors.New("the request's body cannot be sent a second time")
	}
	b, err := req.GetBody()
	if err != nil {
		return nil, fmt.Errorf("rewind the request's body: %w", err)
	}
	fresh.Body = b
	return fresh, nil
}

package pagerduty

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	pd "github.com/PagerDuty/go-pagerduty"
)

// An api is a way to PagerDuty.
type api struct {
	http *http.Client
	base string
}

// An exchange is one call. The library prints errors instead of wrapping them, and drops what it does not know of an
// answer, so the exchange keeps both.
type exchange struct {
	api
	err    error
	header http.Header
}

// Do is the library's port.
func (x *exchange) Do(req *http.Request) (*http.Response, error) {
	resp, err := x.http.Do(req)
	if err != nil {
		if wrapped, is := errors.AsType[*url.Error](err); is {
			err = wrapped.Err // what it adds is the query, and with it people's addresses
		}
		x.err = fmt.Errorf("%s %s: %w", req.Method, req.URL.Path, err)
		return nil, x.err
	}
	x.header = resp.Header
	if resp.StatusCode >= 300 {
		x.err = newAnswerError(req, resp)
		return nil, x.err
	}
	return resp, nil
}

// ask makes one call of the library's.
func ask[T any](ctx context.Context, a api, call func(context.Context, *pd.Client) (T, error)) (T, error) {
	x := &exchange{api: a}
	library := pd.NewClient("", pd.WithAPIEndpoint(a.base))
	library.HTTPClient = x
	v, err := call(ctx, library)
	if x.err != nil {
		return v, x.err
	}
	return v, err
}

// tell is ask for calls that answer nothing.
func tell(ctx context.Context, a api, call func(context.Context, *pd.Client) error) error {
	_, err := ask(ctx, a, func(ctx context.Context, library *pd.Client) (struct{}, error) {
		return struct{}{}, call(ctx, library)
	})
	return err
}

const mediaType = "application/vnd.pagerduty+json;version=2"

// get makes a read that the library gets wrong or does not know, and decodes the answer into out.
func (a api) get(ctx context.Context, path string, query url.Values, out any) error {
	address := a.base + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	req.Header.Set("Accept", mediaType)
	x := &exchange{api: a}
	resp, err := x.Do(req) //nolint:bodyclose // whole has read it and closed it
	if err != nil {
		return err
	}
	if err := json.Unmarshal(bodyOf(resp), out); err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	return nil
}

// send makes a write that the library gets wrong, and decodes the answer into out unless that is nil. From may be empty.
func (a api) send(ctx context.Context, method, path, from string, body, out any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	req, err := http.NewRequestWithContext(ctx, method, a.base+path, bytes.NewReader(b))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	req.Header.Set("Accept", mediaType)
	req.Header.Set("Content-Type", "application/json")
	if from != "" {
		req.Header.Set("From", from)
	}
	x := &exchange{api: a}
	resp, err := x.Do(req) //nolint:bodyclose // whole has read it and closed it
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(bodyOf(resp), out); err != nil {
		return &lostError{fmt.Errorf("%s %s: %w", method, path, err)}
	}
	return nil
}

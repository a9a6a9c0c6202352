package scim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
)

const mediaSCIM = "application/scim+json"

// An answer is what a request gets.
type answer struct {
	status int
	header map[string]string
	body   any // nil: none
}

func (a answer) write(w http.ResponseWriter) error {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	for name, value := range a.header {
		h.Set(name, value)
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return nil
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(a.body); err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	h.Set("Content-Type", mediaSCIM)
	w.WriteHeader(a.status)
	if _, err := w.Write(text.Bytes()); err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	return nil
}

// A recorder holds the library's answer until it is finished.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}

// finish makes the library's answer the client's: an error of the library is a
// failure like ours, resources show what was asked for, lists tell how long they
// are, and nothing that is unknown is told as empty.
func (v *visit) finish(out recorder) (answer, error) {
	a := answer{status: out.status, header: map[string]string{}}
	for _, name := range []string{"Etag", "Location"} {
		if value := out.header.Get(name); value != "" {
			a.header[name] = value
		}
	}
	if out.body.Len() == 0 {
		return a, nil
	}
	body, err := read(out.body.Bytes())
	if err != nil {
		return a, err
	}
	if out.status >= http.StatusBadRequest {
		f := &failure{status: out.status}
		f.kind, _ = body["scimType"].(string)
		f.detail, _ = body["detail"].(string)
		return a, f
	}
	a.body = body
	list, isList := body["Resources"].([]any)
	switch {
	case v.kind == "":
		tidy(body)
	case isList:
		body["itemsPerPage"] = len(list)
		for _, one := range list {
			v.trim(one)
		}
	default:
		v.trim(body)
	}
	return a, nil
}

// trim shows of a resource what was asked for, and names the schemas that are in it.
func (v *visit) trim(resource any) {
	m, _ := resource.(map[string]any)
	schemas, _ := m["schemas"].([]any)
	if _, ok := m[urnEnterprise]; !ok && len(schemas) > 1 {
		m["schemas"] = schemas[:1]
	}
	v.show.apply(m)
}

// tidy makes what the library says of us true: it knows of no ETags of its
// handlers, and has no way to leave a link out.
func tidy(m map[string]any) {
	if e, ok := m["etag"].(map[string]any); ok {
		e["supported"] = true
	}
	drop(m)
}

// drop removes the texts that are empty, in depth.
func drop(value any) {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			if inner == "" {
				delete(v, name)
			}
			drop(inner)
		}
	case []any:
		for _, inner := range v {
			drop(inner)
		}
	}
}

package scim

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	server "github.com/elimity-com/scim"
	"github.com/elimity-com/scim/optional"

	"rolecall/lifecycle"
	"rolecall/lifecycle/intake"
)

const longestBody = 1 << 20 // bytes

func errorIsNotFound(err error) bool { return errors.Is(err, lifecycle.ErrNotFound) }

// serve lets the library answer what has been made plain to it.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request, v *visit) (answer, error) {
	if v.version = versionIn(r.Header); v.version < 0 && r.Method != http.MethodGet {
		return answer{}, failStatus(http.StatusPreconditionFailed, `If-Match must be * or an ETag of ours, like W/"3"`)
	}
	plain, err := h.plain(w, r, v)
	if err != nil {
		return answer{}, err
	}
	library, err := v.library(r)
	if err != nil {
		return answer{}, err
	}
	out := recorder{header: http.Header{}}
	library.ServeHTTP(&out, plain)
	if v.failure != nil {
		return answer{}, v.failure
	}
	return v.finish(out)
}

// plain returns the request as the library understands it.
func (h *Handler) plain(w http.ResponseWriter, r *http.Request, v *visit) (*http.Request, error) {
	plain := r.Clone(r.Context())
	plain.URL.Path = v.path
	plain.Body, plain.ContentLength = http.NoBody, 0
	q := r.URL.Query()
	if v.kind != "" && v.id == "" && r.Method == http.MethodGet {
		var err error
		if v.search, err = readSearch(q, v.source, v.kind); err != nil {
			return nil, err
		}
	}
	q.Del("filter") // it is read already, and means more here than there
	plain.URL.RawQuery = q.Encode()
	if r.Method == http.MethodGet || r.Method == http.MethodDelete {
		return plain, nil
	}
	body, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	v.sha256 = hex.EncodeToString(sum[:])
	is, err := v.normalise(body, r.Method)
	if err != nil {
		return nil, err
	}
	plain.Body, plain.ContentLength = io.NopCloser(bytes.NewReader(is)), int64(len(is))
	return plain, nil
}

// normalise returns the body in the one dialect that the library reads.
func (v *visit) normalise(body []byte, method string) ([]byte, error) {
	value, err := intake.ReadJSON(body)
	if err != nil {
		if reason := lifecycle.ReasonOf(err); reason != "" {
			return nil, fail(invalidSyntax, "the body is no JSON: %s", reason)
		}
		return nil, fmt.Errorf("read a body: %w", err)
	}
	n := &reader{kind: v.kind}
	var is any
	if method == http.MethodPatch {
		p, err := n.readPatch(value)
		if err != nil {
			return nil, err
		}
		v.members = p.members.change()
		is = p.message()
	} else {
		attributes, members, err := n.resource(value)
		if err != nil {
			return nil, err
		}
		attributes["schemas"] = []string{urnUser}
		if v.kind == lifecycle.ResourceGroup {
			attributes["schemas"] = []string{urnGroup}
		}
		v.members, is = members, attributes
	}
	v.without = n.dropped
	text, err := json.Marshal(is)
	if err != nil {
		return nil, fmt.Errorf("write what was read: %w", err)
	}
	return text, nil
}

// message returns the patch for the library, which refuses an empty one.
func (p *patch) message() any {
	operations := p.operations
	if len(operations) == 0 {
		operations = []operation{{Op: opAdd, Value: map[string]any{}}}
	}
	return map[string]any{"schemas": []string{urnPatch}, "Operations": operations}
}

// readBody returns the body of a request, of at most 1 MiB of JSON.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, failStatus(http.StatusUnsupportedMediaType, "send the body as it is, without Content-Encoding")
	}
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := params["charset"]
	if err != nil || media != "application/scim+json" && media != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return nil, failStatus(http.StatusUnsupportedMediaType, "Content-Type must be application/scim+json, in UTF-8")
	}
	body, err := intake.ReadBody(w, r, longestBody)
	if errors.Is(err, intake.ErrTooLarge) {
		return nil, failStatus(http.StatusRequestEntityTooLarge, "a body is at most 1 MiB; add members in several requests")
	}
	if err != nil {
		return nil, fail(invalidSyntax, "the body broke off")
	}
	return body, nil
}

// library returns the server for this one visit: its handlers know who asks.
func (v *visit) library(r *http.Request) (server.Server, error) {
	types := slices.Clone(v.handler.types)
	for i := range types {
		types[i].Handler = v
	}
	s, err := server.NewServer(&server.ServerArgs{
		ServiceProviderConfig: &server.ServiceProviderConfig{
			MaxResults: mostListed, SupportFiltering: true, SupportPatch: true,
			AuthenticationSchemes: []server.AuthenticationScheme{{
				Type: server.AuthenticationTypeOauthBearerToken, Name: "Bearer token", Description: "One token for each client", Primary: true,
			}},
		},
		ResourceTypes: types,
	}, server.WithBaseURL(baseOf(r)))
	if err != nil {
		return server.Server{}, fmt.Errorf("set up SCIM: %w", err)
	}
	return s, nil
}

// resourceTypes returns what can be provisioned, without who answers for it.
func resourceTypes() []server.ResourceType {
	return []server.ResourceType{
		{
			ID: optional.NewString("User"), Name: "User", Endpoint: "/Users", Description: optional.NewString("User Account"),
			Schema: schemaOf(lifecycle.ResourceUser), SchemaExtensions: []server.SchemaExtension{{Schema: enterpriseSchema()}},
		},
		{
			ID: optional.NewString("Group"), Name: "Group", Endpoint: "/Groups", Description: optional.NewString("Group"),
			Schema: schemaOf(lifecycle.ResourceGroup),
		},
	}
}

// baseOf returns the URL under which the client has found us.
func baseOf(r *http.Request) string {
	scheme := "http://"
	if r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
		scheme = "https://"
	}
	return scheme + r.Host + strings.TrimSuffix(Route, "/")
}

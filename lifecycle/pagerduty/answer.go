package pagerduty

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"
)

// An outcome is what an answer proves.
type outcome int

const (
	done    outcome = iota // it was performed, and the answer is what it should be
	refused                // PagerDuty itself said no, and performed nothing
	limited                // too many calls; nothing was performed
	locked                 // another write to users was under way; nothing was performed
	broken                 // nothing is proved: a fault, a gateway's page, an answer cut short
)

// judge returns what the answer to req proves and, when that is nothing, why.
func judge(req *http.Request, resp *http.Response) (outcome, error) {
	all := bodyOf(resp)
	switch status := resp.StatusCode; {
	case status == http.StatusTooManyRequests:
		return limited, nil
	case status >= 500, status < 200, status >= 300 && status < 400, status == http.StatusRequestTimeout:
		return broken, fmt.Errorf("PagerDuty answered %d", status)
	case status >= 400:
		return judgeRefusal(resp, all)
	case status == http.StatusNoContent || len(all) == 0 && req.Method != http.MethodGet:
		return done, nil
	case !json.Valid(all):
		return broken, fmt.Errorf("PagerDuty answered %d with something that is not JSON", status)
	default:
		return judgeListing(req, all)
	}
}

// judgeRefusal takes no page of a gateway for PagerDuty's word. Source: 400/2001 "account could not be locked" is the
// transient refusal that PagerDuty's Terraform provider retries.
func judgeRefusal(resp *http.Response, all []byte) (outcome, error) {
	switch {
	case resp.StatusCode == http.StatusBadRequest && bytes.Contains(all, []byte("account could not be locked")):
		return locked, nil
	case strings.Contains(resp.Header.Get("Content-Type"), "html") || bytes.HasPrefix(bytes.TrimSpace(all), []byte("<")):
		return broken, fmt.Errorf("a page for browsers with status %d came instead of PagerDuty's answer", resp.StatusCode)
	default:
		return refused, nil
	}
}

// judgeListing holds a page of a listing to what makes it one: without its rows, and `more` or a cursor, it would read as
// the last, and an empty one. A listing's rows are under the last part of its path.
func judgeListing(req *http.Request, all []byte) (outcome, error) {
	if req.Method != http.MethodGet || !req.URL.Query().Has("limit") {
		return done, nil
	}
	var page map[string]json.RawMessage
	if err := json.Unmarshal(all, &page); err != nil {
		return broken, fmt.Errorf("PagerDuty's page is not an object: %w", err)
	}
	key := path.Base(req.URL.Path)
	more, rows := string(bytes.TrimSpace(page["more"])), bytes.TrimSpace(page[key])
	if _, cursor := page["next_cursor"]; more != "true" && more != "false" && !cursor || !bytes.HasPrefix(rows, []byte("[")) {
		return broken, fmt.Errorf("PagerDuty's page of %s does not say whether more follow, or has no %s", key, key)
	}
	return done, nil
}

// An answerError is PagerDuty's no. Its text holds nothing of the call but method and path.
type answerError struct {
	method, path string
	status, code int
	said         []string // its message and errors, cleaned
	needs        []string // scopes that the call needs and the token lacks
	envelope     bool     // it came in PagerDuty's own form
}

func (e *answerError) Error() string {
	words := fmt.Sprintf("%s %s: PagerDuty answered %d", e.method, e.path, e.status)
	if e.code != 0 {
		words += fmt.Sprintf(" (%d)", e.code)
	}
	switch e.status {
	case http.StatusUnauthorized:
		words += ": it does not accept rolecall's key, or the token of its app"
	case http.StatusTooManyRequests:
		words += ": too many calls in a minute; try again in one"
	}
	return strings.Join(append([]string{words}, e.said...), ": ")
}

// says reports whether PagerDuty's words contain part, whatever the case.
func (e *answerError) says(part string) bool {
	return strings.Contains(strings.ToLower(strings.Join(e.said, "\n")), strings.ToLower(part))
}

// gone reports whether PagerDuty itself says that there is no such thing: 404 with code 2100. A 404 from anything in
// between proves nothing.
func (e *answerError) gone() bool {
	return e.status == http.StatusNotFound && e.envelope && (e.code == 2100 || e.says("Not Found"))
}

// newAnswerError reads an error in every shape it is known to come in: the envelope; errors as a text, a list or a map;
// the error itself as a list or a text; no JSON at all. Sources: PagerDuty's error documentation, go-pagerduty issues 339
// and 478, OpenAPI schema BadRequest.
func newAnswerError(req *http.Request, resp *http.Response) *answerError {
	e := &answerError{method: req.Method, path: req.URL.Path, status: resp.StatusCode}
	all := bodyOf(resp)
	var outer struct {
		Error json.RawMessage `json:"error"`
	}
	var in struct {
		Code     int             `json:"code"`
		Message  string          `json:"message"`
		Errors   json.RawMessage `json:"errors"`
		Required json.RawMessage `json:"required_scopes"`
		Have     json.RawMessage `json:"token_scopes"`
	}
	if json.Unmarshal(all, &outer) != nil || len(outer.Error) == 0 {
		e.add(string(all))
		return e
	}
	if err := json.Unmarshal(outer.Error, &in); err != nil && in.Message == "" && in.Code == 0 {
		e.add(texts(outer.Error)...)
		return e
	}
	e.envelope, e.code = true, in.Code
	e.add(in.Message)
	e.add(texts(in.Errors)...)
	e.needs = missing(scopesIn(in.Required), scopesIn(in.Have))
	return e
}

// scopesIn returns scopes that come as a list, or as a text with spaces or commas between them. Source: the first is what
// PagerDuty's Terraform provider decodes, the second what its users quote in pull request 1027.
func scopesIn(raw json.RawMessage) []string {
	var all []string
	for _, s := range texts(raw) {
		all = append(all, strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' })...)
	}
	return all
}

func (e *answerError) add(said ...string) {
	for _, s := range said {
		if s = clean(s, 200); s != "" {
			e.said = append(e.said, s)
		}
	}
}

// texts returns the texts in a text, a list, or a map, however deep.
func texts(raw json.RawMessage) []string {
	var s string
	var list []json.RawMessage
	var object map[string]json.RawMessage
	var all []string
	switch {
	case json.Unmarshal(raw, &s) == nil:
		return []string{s}
	case json.Unmarshal(raw, &list) == nil:
		for _, v := range list {
			all = append(all, texts(v)...)
		}
	case json.Unmarshal(raw, &object) == nil:
		for _, k := range sortedKeys(object) {
			for _, v := range texts(object[k]) {
				all = append(all, k+" "+v)
			}
		}
	}
	return all
}

// asAnswer returns PagerDuty's no in err, if that is what it is.
func asAnswer(err error) (*answerError, bool) { return errors.AsType[*answerError](err) }

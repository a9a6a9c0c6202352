package slacktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// maxBody is more than any request the fake accepts; a larger one is refused.
const maxBody = 4 << 20

// args are the arguments of one call: form values as they are, JSON strings unquoted, other JSON values as text.
type args map[string]string

func (a args) has(name string) bool { _, ok := a[name]; return ok }

func (a args) flag(name string) bool { return a[name] == "true" || a[name] == "1" }

// number returns the argument as an integer, or fallback when it is absent; it fails with invalid_arguments.
func (a args) number(name string, fallback int) (int, error) {
	if a[name] == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(a[name])
	if err != nil || n < 0 {
		return 0, invalid("invalid_arguments", fmt.Sprintf("%s must be a number, not %q", name, a[name]))
	}
	return n, nil
}

// readArgs takes the arguments and the token out of a request, in the ways that Slack accepts: query, form, or JSON
// whose token is in the Authorization header. It fails with the code that Slack answers.
func readArgs(r *http.Request) (args, string, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, "", invalid("invalid_post_type", "the body broke off")
	}
	if len(body) > maxBody {
		return nil, "", invalid("request_too_large", "the body is larger than 4 MiB")
	}
	bearer := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case kind == "application/json":
		a, err := jsonArgs(body)
		return a, bearer, err
	case kind == "application/x-www-form-urlencoded", len(body) == 0:
		return formArgs(r.URL.RawQuery, string(body), bearer)
	default:
		return nil, bearer, invalid("invalid_post_type", fmt.Sprintf("content type %q", kind))
	}
}

func formArgs(query, body, bearer string) (args, string, error) {
	a := args{}
	for _, encoded := range []string{query, body} {
		values, err := url.ParseQuery(encoded)
		if err != nil {
			return nil, bearer, invalid("invalid_form_data", err.Error())
		}
		for name, given := range values {
			if len(given) > 1 {
				return nil, bearer, invalid("invalid_arguments", fmt.Sprintf("%s is given %d times", name, len(given)))
			}
			a[name] = given[0]
		}
	}
	token := bearer
	if token == "" {
		token = a["token"]
	}
	delete(a, "token")
	return a, token, nil
}

func jsonArgs(body []byte) (args, error) {
	a := args{}
	if len(bytes.TrimSpace(body)) == 0 {
		return a, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return nil, invalid("invalid_json", err.Error())
	}
	for name, raw := range fields {
		var text string
		switch {
		case json.Unmarshal(raw, &text) == nil && raw[0] == '"':
			a[name] = text
		case string(raw) != "null":
			a[name] = string(raw)
		}
	}
	delete(a, "token") // Slack takes no token out of a JSON body
	return a, nil
}

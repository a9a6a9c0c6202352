package scim

import (
	"net/url"
	"regexp"
	"strings"

	filter "github.com/scim2/filter-parser/v2"

	"rolecall/lifecycle"
)

const longestFilter = 1024 // bytes: the parser takes 60 ms for the worst of them

// A search is what a client looks for: what the store looks up, and what has to
// be so besides.
type search struct {
	lifecycle.ResourceFilter
	nobody    bool   // two terms contradict each other
	emailType string // "" any
}

func isEqual(op filter.CompareOperator) bool { return strings.EqualFold(string(op), string(filter.EQ)) }

// parsePath is the library's, which may fall over what strangers send, and takes
// about a millisecond for a path with a filter.
func parsePath(path string) (p filter.Path, err error) {
	defer func() {
		if recover() != nil {
			err = fail(invalidPath, "%q is no path", path)
		}
	}()
	return filter.ParsePath([]byte(path))
}

func parseFilter(text string) (e filter.Expression, err error) {
	defer func() {
		if recover() != nil {
			err = fail(invalidFilter, "%q is no filter", text)
		}
	}()
	return filter.ParseFilter([]byte(text))
}

// readSearch returns what the query's filter looks for among a kind.
func readSearch(q url.Values, client string, kind lifecycle.ResourceKind) (search, error) {
	s := search{ResourceFilter: lifecycle.ResourceFilter{Client: client, Kind: kind}}
	text := strings.TrimSpace(q.Get("filter"))
	if text == "" {
		return s, nil
	}
	if len(text) > longestFilter {
		return s, fail(invalidFilter, "the filter has %d bytes; at most %d are read", len(text), longestFilter)
	}
	e, err := parseFilter(foldEntra(text))
	if err != nil {
		return s, fail(invalidFilter, `the filter cannot be read; write it like userName eq "mina.ito@acme.test"`)
	}
	if err := s.all(e); err != nil {
		return s, err
	}
	if s.emailType != "" && s.Email == "" {
		return s, s.unsupported()
	}
	return s, nil
}

// foldEntra makes emails[type eq "work"].value eq "x", which Entra ID sends and
// no grammar has, what it means: emails[type eq "work" and value eq "x"].
func foldEntra(text string) string {
	return entraAddress.ReplaceAllString(text, `emails[$1 and value$2]`)
}

var entraAddress = regexp.MustCompile(`(?i)\bemails\[\s*(type eq "[^"\\\]]*")\s*\]\.value( eq "(?:[^"\\]|\\.)*")`)

// all takes in every term of a conjunction.
func (s *search) all(e filter.Expression) error {
	switch e := e.(type) {
	case *filter.LogicalExpression:
		if !strings.EqualFold(string(e.Operator), string(filter.AND)) {
			return s.unsupported()
		}
		if err := s.all(e.Left); err != nil {
			return err
		}
		return s.all(e.Right)
	case *filter.ValuePath:
		if s.Kind == lifecycle.ResourceUser && strings.EqualFold(e.AttributePath.String(), "emails") {
			return s.emails(e.ValueFilter)
		}
		if s.Kind == lifecycle.ResourceGroup && strings.EqualFold(e.AttributePath.String(), "members") {
			if t, ok := e.ValueFilter.(*filter.AttributeExpression); ok && strings.EqualFold(t.AttributePath.String(), "value") {
				return s.term("members", t)
			}
		}
	case *filter.AttributeExpression:
		return s.term(s.nameOf(e.AttributePath), e)
	}
	return s.unsupported()
}

// nameOf returns the name of an attribute of the core schema, in lower case.
func (s *search) nameOf(p filter.AttributePath) string {
	if uri := p.URI(); strings.EqualFold(uri, urnUser) || strings.EqualFold(uri, urnGroup) {
		p.URIPrefix = nil
	}
	return strings.ToLower(p.String())
}

func (s *search) term(name string, e *filter.AttributeExpression) error {
	want, ok := e.CompareValue.(string)
	if !ok || !isEqual(e.Operator) {
		return s.unsupported()
	}
	user := s.Kind == lifecycle.ResourceUser
	switch {
	case name == "id":
		s.want(&s.ID, want)
	case name == "externalid":
		s.want(&s.ExternalID, want)
	case name == "username" && user, name == "displayname" && !user:
		s.want(&s.Name, lifecycle.FoldResourceName(want))
	case (name == "emails" || name == "emails.value") && user:
		s.want(&s.Email, lifecycle.FoldEmail(want))
	case (name == "members" || name == "members.value") && !user:
		s.want(&s.Member, want)
	default:
		return s.unsupported()
	}
	return nil
}

// emails takes in the terms about one address.
func (s *search) emails(e filter.Expression) error {
	switch e := e.(type) {
	case *filter.LogicalExpression:
		if !strings.EqualFold(string(e.Operator), string(filter.AND)) {
			return s.unsupported()
		}
		if err := s.emails(e.Left); err != nil {
			return err
		}
		return s.emails(e.Right)
	case *filter.AttributeExpression:
		want, ok := e.CompareValue.(string)
		switch name := strings.ToLower(e.AttributePath.String()); {
		case !ok || !isEqual(e.Operator):
		case name == "value":
			s.want(&s.Email, lifecycle.FoldEmail(want))
			return nil
		case name == "type":
			s.want(&s.emailType, strings.ToLower(want))
			return nil
		}
	}
	return s.unsupported()
}

// want adds that field is value. Nothing is empty, and nothing is two things at once.
func (s *search) want(field *string, value string) {
	if value == "" || *field != "" && *field != value {
		s.nobody = true
	}
	*field = value
}

func (s *search) unsupported() error {
	what := `userName, externalId, id and emails[type eq "work" and value eq "x"]`
	if s.Kind == lifecycle.ResourceGroup {
		what = "displayName, externalId, id and members"
	}
	return fail(invalidFilter, "a filter here is eq and and, with text, on %s", what)
}

// has reports whether one address of a user is of the type that is looked for.
func (s *search) has(attributes map[string]any) bool {
	if s.emailType == "" {
		return true
	}
	list, _ := attributes["emails"].([]any)
	for _, v := range list {
		e, _ := v.(map[string]any)
		kind, _ := e["type"].(string)
		value, _ := e["value"].(string)
		if strings.EqualFold(kind, s.emailType) && lifecycle.FoldEmail(value) == s.Email {
			return true
		}
	}
	return false
}

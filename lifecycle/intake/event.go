package intake

import (
	"mime"
	"slices"
	"strings"
	"time"

	"rolecall/lifecycle"
)

// The types of event that are taken in.
const (
	typeIdentity = "rolecall.identity.v1"
	typeFinding  = "rolecall.finding.v1"
)

const longestURI = 512 // characters

// A shape is what an event of one type must look like.
type shape struct {
	name   string          // its type
	fields func() []string // of data
	timed  bool            // whether it must say when it was so
}

var (
	identityShape = shape{name: typeIdentity, fields: personFields, timed: true}
	findingShape  = shape{name: typeFinding, fields: findingFields}
)

// eventFields are the attributes of CloudEvents 1.0 that mean something here.
func eventFields() []string {
	return []string{"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "data"}
}

// An event is a CloudEvents 1.0 event in structured mode.
type event struct {
	id, source string
	at         time.Time // zero: the event does not say
	data       object
}

// readEvent returns the event that value is, and every mistake in it, placed under path.
func readEvent(value any, path string, want shape, now time.Time) (event, []lifecycle.FieldError) {
	o, ok := value.(object)
	if !ok {
		return event{}, []lifecycle.FieldError{{Path: strings.TrimSuffix(path, "."), Message: "must be an event, that is an object, not " + typeOf(value)}}
	}
	f := &form{object: o, place: under(path)}
	e := event{
		id:     f.need("id", longestID, "give the event an id; a repeat of it is then harmless"),
		source: f.need("source", longestURI, "say which source of truth this is"),
	}
	if e.source != "" && !printable(e.source) {
		f.blame("source", "must be a URI reference such as hris/bamboo, without spaces")
		e.source = ""
	}
	if spoken(e.source) {
		f.blame("source", "%s does not speak by this door; name the source of truth that this is, such as hr/acme", e.source)
		e.source = ""
	}
	e.at = f.past("time", now)
	if want.timed && f.value("time") == nil {
		f.blame("time", "say when this was so, as 2026-05-31T09:00:00Z")
	}
	checkType(f, want.name)
	checkContent(f, want.fields())
	if e.data, ok = f.value("data").(object); !ok {
		f.blame("data", "must be an object, not %s", typeOf(f.value("data")))
	}
	return e, f.wrong
}

func checkType(f *form, want string) {
	if v := f.need("specversion", longestName, `is needed: "1.0"`); v != "" && v != "1.0" {
		f.blame("specversion", "%q is not 1.0", v)
	}
	switch t := f.need("type", longestName, "is needed: "+want); t {
	case "", want:
	case typeIdentity:
		f.blame("type", "%q belongs to /v1/lifecycle", t)
	case typeFinding:
		f.blame("type", "%q belongs to /v1/findings", t)
	default:
		f.blame("type", "%q is not %s", t, want)
	}
}

// checkContent refuses what is neither an attribute of CloudEvents nor may be
// an extension of it (CloudEvents 1.0, "Naming Conventions").
func checkContent(f *form, belongs []string) {
	if t := f.text("datacontenttype", longestName); t != "" && !isJSON(t) {
		f.blame("datacontenttype", "%q is not JSON", t)
	}
	for _, m := range f.object {
		switch known := eventFields(); {
		case slices.Contains(known, m.name):
		case m.name == "data_base64":
			f.blame(m.name, "is not read; send data as an object")
		case slices.Contains(belongs, m.name):
			f.blame(m.name, "belongs under data")
		case strings.Trim(m.name, "abcdefghijklmnopqrstuvwxyz0123456789") != "":
			f.blame(m.name, "%s", unknown("attribute", m.name, known))
		}
	}
}

func isJSON(mediaType string) bool {
	t, _, err := mime.ParseMediaType(mediaType)
	return err == nil && (t == "application/json" || strings.HasSuffix(t, "+json"))
}

package slacktest

import (
	"fmt"
	"slices"
	"time"
)

// File is a file that the app has uploaded.
type File struct {
	ID      string
	Name    string
	Title   string
	AltText string
	Body    []byte
}

// file is a File on its way: announced, uploaded, complete, and at last ready to stand in a block.
type file struct {
	File
	length   int // as announced
	uploaded bool
	complete time.Time // zero until it was completed
}

// File returns the file with that id once it is complete, and whether it is.
func (w *Workspace) File(id string) (File, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.files[id]
	if f == nil || f.complete.IsZero() {
		return File{}, false
	}
	out := f.File
	out.Body = slices.Clone(f.Body)
	return out, true
}

// ready reports whether blocks may show the file. Slack works on a file after it was completed, and refuses blocks
// that show it until that is done (slackapi/python-slack-sdk issue 1658). The caller holds mu.
func (w *Workspace) ready(id string) bool {
	f := w.files[id]
	return f != nil && !f.complete.IsZero() && !w.cfg.Now().Before(f.complete.Add(w.cfg.FileDelay))
}

// slackFile checks the file that an image shows: exactly one of its id and its URL, of a file that is there.
func (k *checker) slackFile(at string, f object) {
	if f == nil {
		return
	}
	id, url := str(f, "id"), str(f, "url")
	k.known(at, f, []string{"id", "url"})
	switch {
	case (id == "") == (url == ""):
		k.bad(at, "exactly one of id and url is required")
	case id != "" && !fileID.MatchString(id):
		k.bad(at+"/id", "input must match regex pattern: %s", fileID)
	case k.hasFile == nil || !k.hasFile(id, url):
		k.bad(at, "invalid slack file")
	}
}

// hasFile reports whether blocks may show the file with that id, or at that address. The caller holds mu.
func (w *Workspace) hasFile(id, url string) bool {
	for known := range w.files {
		if (known == id || url != "" && url == w.filePage(known)) && w.ready(known) {
			return true
		}
	}
	return false
}

// filePage is where people open the file.
func (w *Workspace) filePage(id string) string {
	return fmt.Sprintf("https://%s.slack.com/files/%s/%s", w.cfg.TeamDomain, w.cfg.BotUserID, id)
}

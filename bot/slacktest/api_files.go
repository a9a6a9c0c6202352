package slacktest

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"unicode/utf8"
)

// Limits of files (docs.slack.dev, files.getUploadURLExternal and files.completeUploadExternal).
const (
	maxFileAlt   = 1000
	maxFileBytes = 1 << 30
	maxUpload    = 8 << 20 // what the fake itself takes
)

var fileID = regexp.MustCompile(`^[F][A-Z0-9]{8,}$`)

// filesGetUploadURLExternal announces a file: its name, and how long it is to the byte.
func (w *Workspace) filesGetUploadURLExternal(c *call) (object, error) {
	length, err := c.args.number("length", 0)
	switch {
	case err != nil:
		return nil, err
	case c.args["filename"] == "":
		return nil, invalid("invalid_arguments", "missing required field: filename")
	case length == 0:
		return nil, invalid("invalid_arguments", "length must be greater than 0")
	case length > maxFileBytes:
		return nil, invalid("file_upload_size_restricted")
	case utf8.RuneCountInString(c.args["alt_txt"]) > maxFileAlt:
		return nil, invalid("alt_txt_too_large")
	}
	id := w.id("F")
	w.files[id] = &file{File: File{ID: id, Name: c.args["filename"], AltText: c.args["alt_txt"]}, length: length}
	return object{"upload_url": w.publicURL + "/upload/v1/" + id, "file_id": id}, nil
}

// serveUpload takes the raw bytes of an announced file. A form is refused: slack-go closes one twice, and what came
// of that stood inside the file.
func (w *Workspace) serveUpload(rw http.ResponseWriter, r *http.Request) {
	c := &call{method: "upload_url", args: args{"file": r.PathValue("id")}}
	if !w.beforeFault(rw, r, c) {
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxUpload+1))
	if err == nil {
		err = w.keepUpload(r, c, body)
	}
	status := http.StatusOK
	if refused, ok := errors.AsType[*refusal](err); ok {
		status = refused.status
	} else if err != nil {
		status = http.StatusBadRequest
	}
	w.record(c, status, err)
	if err != nil {
		http.Error(rw, err.Error(), status)
		return
	}
	fmt.Fprintf(rw, "OK - %d", len(body))
}

func (w *Workspace) keepUpload(r *http.Request, c *call, body []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")) //nolint:errcheck // no type at all is raw bytes too
	f := w.files[c.args["file"]]
	switch {
	case f == nil || f.uploaded:
		return &refusal{code: "upload_not_found", detail: []string{"an upload URL works once"}, status: http.StatusNotFound}
	case kind == "multipart/form-data":
		return &refusal{code: "invalid_upload", detail: []string{"send the raw bytes"}, status: http.StatusBadRequest}
	case len(body) != f.length:
		return &refusal{code: "invalid_upload", detail: []string{fmt.Sprintf("%d bytes came, %d were announced", len(body), f.length)}, status: http.StatusBadRequest}
	}
	f.Body, f.uploaded = body, true
	return nil
}

// filesCompleteUploadExternal ends uploads. The fake shares no files: the bot shows them in blocks.
func (w *Workspace) filesCompleteUploadExternal(c *call) (object, error) {
	var given []struct {
		ID    string `json:"id"`
		Title string `json:"title"`
	}
	if err := c.jsonArg("files", "invalid_arguments", &given); err != nil {
		return nil, err
	}
	if len(given) == 0 {
		return nil, invalid("invalid_arguments", "files must contain at least 1 items")
	}
	for _, name := range []string{"channel_id", "channels", "initial_comment", "blocks", "thread_ts"} {
		if c.args[name] != "" {
			return nil, invalid("invalid_arguments", name+" is not known to the fake: it shares no files")
		}
	}
	done := make([]any, len(given))
	for i, g := range given {
		f := w.files[g.ID]
		if f == nil || !f.uploaded {
			return nil, invalid("file_not_found", fmt.Sprintf("file %q was not uploaded", g.ID))
		}
		if f.complete.IsZero() {
			f.complete = w.cfg.Now()
		}
		f.Title = g.Title
		done[i] = object{"id": f.ID, "title": f.Title}
	}
	w.bump()
	return object{"files": done}, nil
}

package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"rolecall/lifecycle"
)

// maxSize is far above any policy that people can review.
const maxSize = 1 << 20

// Load reads the policy file at path. What is wrong in the file is Mistakes;
// any other error is that it could not be read.
func Load(path string) (lifecycle.Policy, error) {
	b, err := read(path)
	if err != nil {
		return lifecycle.Policy{}, fmt.Errorf("read policy: %w", err)
	}
	return Parse(path, b)
}

func read(path string) (_ []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return io.ReadAll(io.LimitReader(f, maxSize+1))
}

// Parse returns the policy that b says, with the SHA-256 of b, or every mistake
// in it as Mistakes. The name is only for the mistakes. Teams named without
// their id still have to be resolved; see lifecycle.Policy.Resolve.
func Parse(name string, b []byte) (lifecycle.Policy, error) {
	d := &document{name: name}
	if root, ok := d.open(b); ok {
		d.read(root)
	}
	if len(d.mistakes) > 0 {
		return lifecycle.Policy{}, d.mistakes.sorted()
	}
	sum := sha256.Sum256(b)
	d.policy.SHA256 = hex.EncodeToString(sum[:])
	return d.policy.Indexed(), nil
}

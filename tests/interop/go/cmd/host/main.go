// Command host loads a plugin as the Go project's host does, and prints what it saw as JSON.
//
// Usage: host PROGRAM < scenario.json
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// scenario is what to do once the plugin is loaded.
type scenario struct {
	// Configs are given to Initialize one after the other; the last one holds.
	Configs []json.RawMessage `json:"configs"`
	// Jobs are run one after the other.
	Jobs []jobToRun `json:"jobs"`
	// Unknown is the id of a job to ask about that nobody started.
	Unknown string `json:"unknown"`
}

type jobToRun struct {
	Image   string            `json:"image"`
	Command string            `json:"run_command"`
	Env     map[string]string `json:"env_vars"`
	Secrets map[string]string `json:"env_vars_secret"`
	Timeout int32             `json:"timeout_seconds"`
	// Cancel asks for the job's stop as soon as it is seen to run.
	Cancel bool `json:"cancel"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "host:", err)
		os.Exit(1)
	}
}

func run() error {
	var todo scenario
	if err := json.NewDecoder(os.Stdin).Decode(&todo); err != nil {
		return fmt.Errorf("reading the scenario: %w", err)
	}
	report, err := play(os.Args[1], todo)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(report)
}

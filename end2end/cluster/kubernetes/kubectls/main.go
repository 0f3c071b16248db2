// Kubectls runs kubectl's own commands one after another in one process: a line of JSON in (the arguments),
// a line of JSON out (what kubectl wrote, and its exit code). Ten thousand comparisons would take ten
// minutes of starting kubectl otherwise.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"log"
	"os"
	"strings"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/kubectl/pkg/cmd"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
)

type answer struct {
	Out  string `json:"out"`
	Err  string `json:"err"`
	Code int    `json:"code"`
}

// exit is what kubectl ends its process with.
type exit struct {
	message string
	code    int
}

func kubectl(arguments []string) (said answer) {
	var out, err bytes.Buffer
	defer func() {
		switch left := recover().(type) {
		case nil:
		case exit:
			if left.message != "" {
				err.WriteString(strings.TrimSuffix(left.message, "\n") + "\n")
			}
			said.Code = left.code
		default:
			panic(left)
		}
		said.Out, said.Err = out.String(), err.String()
	}()
	command := cmd.NewDefaultKubectlCommandWithArgs(cmd.KubectlOptions{
		Arguments:   append([]string{"kubectl"}, arguments...),
		ConfigFlags: genericclioptions.NewConfigFlags(true).WithDiscoveryBurst(300).WithDiscoveryQPS(50),
		IOStreams:   genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &err},
	})
	command.SetArgs(arguments)
	command.SetOut(&out)
	command.SetErr(&err)
	if failed := command.Execute(); failed != nil {
		cmdutil.CheckErr(failed)
	}
	return said
}

func main() {
	cmdutil.BehaviorOnFatal(func(message string, code int) { panic(exit{message, code}) })
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var arguments []string
		if err := json.Unmarshal(lines.Bytes(), &arguments); err != nil {
			log.Fatalf("kubectls: a line is no JSON list of words: %v", err)
		}
		if err := answers.Encode(kubectl(arguments)); err != nil {
			log.Fatal(err)
		}
	}
}

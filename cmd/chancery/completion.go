package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// completionCommand writes what lets a shell complete commands and flags.
type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help tells how to use it.
func (completionCommand) Help() string {
	return `For bash: source <(chancery completion bash). For zsh: chancery completion zsh > "${fpath[1]}/_chancery". For fish: chancery completion fish > ~/.config/fish/completions/chancery.fish`
}

// Run writes it, of the very grammar that commands are read by.
func (s *completionCommand) Run(k *kong.Context) error {
	places := placesOf(k.Model.Node, "")
	return map[string]func(io.Writer, []place) error{"bash": completeBash, "zsh": completeZsh, "fish": completeFish}[s.Shell](stdout, places)
}

// place is where a command line may be: after the words of a command, or of a group of commands.
type place struct {
	words    string // empty: at the beginning
	commands []choice
	flags    []choice
}

// choice is a word that may come next.
type choice struct {
	word, help string
	value      bool     // it is a flag that takes a value
	values     []string // which is one of these
	file       bool     // which is the name of a file, or of a directory
}

// placesOf are those at a node and below it.
func placesOf(n *kong.Node, words string) []place {
	at := place{words: words}
	for _, group := range n.AllFlags(true) {
		for _, f := range group {
			c := choice{word: "--" + f.Name, help: oneLine(f.Help), value: !f.IsBool(), file: f.PlaceHolder == "FILE" || f.PlaceHolder == "DIR"}
			if f.Enum != "" {
				c.values = f.EnumSlice()
			}
			at.flags = append(at.flags, c)
			if f.Short != 0 {
				c.word = "-" + string(f.Short)
				at.flags = append(at.flags, c)
			}
		}
	}
	all := []place{}
	for _, child := range n.Children {
		if child.Hidden || child.Type != kong.CommandNode {
			continue
		}
		at.commands = append(at.commands, choice{word: child.Name, help: oneLine(child.Help)})
		all = append(all, placesOf(child, strings.TrimSpace(words+" "+child.Name))...)
	}
	return append([]place{at}, all...)
}

// oneLine is the first sentence of a help, or as much of it as fits.
func oneLine(help string) string {
	help, _, _ = strings.Cut(help, "\n")
	if i := strings.IndexAny(help, ".;"); i > 0 && (i+1 == len(help) || help[i+1] == ' ') {
		help = help[:i]
	}
	if r := []rune(help); len(r) > 80 {
		help = string(r[:79]) + "…"
	}
	return help
}

// valued are all flags that take a value, and those of them whose values are known or are files.
func valued(places []place) (all []string, known []choice) {
	for _, p := range places {
		for _, f := range p.flags {
			if f.value && !slices.Contains(all, f.word) {
				all = append(all, f.word)
				if len(f.values) > 0 || f.file {
					known = append(known, f)
				}
			}
		}
	}
	return all, known
}

// words are those of choices, with spaces between.
func wordList(cs []choice) string {
	var ws []string
	for _, c := range cs {
		ws = append(ws, c.word)
	}
	return strings.Join(ws, " ")
}

// quoted is a word in single quotes, as bash and zsh read it.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// walk is how bash and zsh find out where a command line is: they step over flags and their values.
func walk(b *strings.Builder, places []place) {
	all, _ := valued(places)
	fmt.Fprintf(b, "    case \"$word\" in\n    %s) ((i++)); continue ;;\n    -*) continue ;;\n    esac\n    case \"${at:+$at }$word\" in\n", strings.Join(all, "|"))
	for _, p := range places {
		if p.words != "" {
			fmt.Fprintf(b, "    %s) at=%s ;;\n", quoted(p.words), quoted(p.words))
		}
	}
	b.WriteString("    esac\n  done\n")
}

func completeBash(w io.Writer, places []place) error {
	var b strings.Builder
	b.WriteString("# Completion of chancery for bash: source <(chancery completion bash)\n_chancery() {\n" +
		"  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} at= word i commands flags\n" +
		"  COMPREPLY=()\n  for ((i = 1; i < COMP_CWORD; i++)); do\n    word=${COMP_WORDS[i]}\n")
	walk(&b, places)
	b.WriteString("  case \"$prev\" in\n")
	all, known := valued(places)
	for _, f := range known {
		reply := "compgen -f"
		if len(f.values) > 0 {
			reply = "compgen -W " + quoted(strings.Join(f.values, " "))
		}
		fmt.Fprintf(&b, "  %s) COMPREPLY=($(%s -- \"$cur\")); return ;;\n", f.word, reply)
	}
	fmt.Fprintf(&b, "  %s) return ;;\n  esac\n  case \"$at\" in\n", strings.Join(all, "|"))
	for _, p := range places {
		fmt.Fprintf(&b, "  %s) commands=%s flags=%s ;;\n", quoted(p.words), quoted(wordList(p.commands)), quoted(wordList(p.flags)))
	}
	b.WriteString("  esac\n  case \"$cur\" in\n  -*) COMPREPLY=($(compgen -W \"$flags\" -- \"$cur\")) ;;\n" +
		"  *) COMPREPLY=($(compgen -W \"$commands\" -- \"$cur\")) ;;\n  esac\n}\ncomplete -o default -F _chancery chancery\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func completeZsh(w io.Writer, places []place) error {
	var b strings.Builder
	b.WriteString("#compdef chancery\n# Completion of chancery for zsh: chancery completion zsh > \"${fpath[1]}/_chancery\"\n_chancery() {\n" +
		"  local at= word i\n  local -a commands flags\n  for ((i = 2; i < CURRENT; i++)); do\n    word=$words[i]\n")
	walk(&b, places)
	b.WriteString("  case \"$words[CURRENT-1]\" in\n")
	all, known := valued(places)
	for _, f := range known {
		reply := "_files"
		if len(f.values) > 0 {
			reply = "compadd -- " + strings.Join(f.values, " ")
		}
		fmt.Fprintf(&b, "  %s) %s; return ;;\n", f.word, reply)
	}
	fmt.Fprintf(&b, "  %s) return ;;\n  esac\n  case \"$at\" in\n", strings.Join(all, "|"))
	described := func(cs []choice) string {
		var ds []string
		for _, c := range cs {
			ds = append(ds, quoted(strings.ReplaceAll(c.word, ":", `\:`)+":"+c.help))
		}
		return "(" + strings.Join(ds, " ") + ")"
	}
	for _, p := range places {
		fmt.Fprintf(&b, "  %s)\n    commands=%s\n    flags=%s ;;\n", quoted(p.words), described(p.commands), described(p.flags))
	}
	b.WriteString("  esac\n  if [[ $PREFIX == -* ]]; then _describe flag flags\n  elif (( $#commands )); then _describe command commands\n  else _files; fi\n}\n" +
		"if [[ $funcstack[1] == _chancery ]]; then _chancery \"$@\"; else compdef _chancery chancery; fi\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func completeFish(w io.Writer, places []place) error {
	quote := func(s string) string { return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'" }
	var b strings.Builder
	all, _ := valued(places)
	b.WriteString("# Completion of chancery for fish: chancery completion fish > ~/.config/fish/completions/chancery.fish\n" +
		"function __chancery_at\n  set -l at\n  set -l skip 0\n  for word in (commandline -opc)[2..-1]\n    if test $skip = 1\n      set skip 0\n      continue\n    end\n    switch $word\n")
	fmt.Fprintf(&b, "      case %s\n        set skip 1\n      case '-*'\n      case '*'\n        contains -- (string join ' ' $at $word)", strings.Join(all, " "))
	for _, p := range places {
		if p.words != "" {
			b.WriteString(" " + quote(p.words))
		}
	}
	b.WriteString("; and set at $at $word\n    end\n  end\n  test \"$at\" = \"$argv[1]\"\nend\ncomplete -c chancery -f\n")
	for _, p := range places {
		at := "complete -c chancery -n " + quote("__chancery_at "+quote(p.words))
		for _, c := range p.commands {
			fmt.Fprintf(&b, "%s -a %s -d %s\n", at, quote(c.word), quote(c.help))
		}
		for _, f := range p.flags {
			name, long := strings.CutPrefix(f.word, "--")
			line := at + " -s " + strings.TrimPrefix(f.word, "-")
			if long {
				line = at + " -l " + name
			}
			switch {
			case len(f.values) > 0:
				line += " -x -a " + quote(strings.Join(f.values, " "))
			case f.file:
				line += " -r -F"
			case f.value:
				line += " -x"
			}
			fmt.Fprintf(&b, "%s -d %s\n", line, quote(f.help))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

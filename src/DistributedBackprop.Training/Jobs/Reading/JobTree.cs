using System.Collections.Immutable;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace DistributedBackprop.Training.Jobs.Reading;

/// <summary>
/// Reads YAML into a tree of nodes with positions. A job needs little of YAML, and what it does not need is refused:
/// anchors and aliases (a few lines of them can mean billions of nodes), tags, several documents, keys that are no scalars.
/// </summary>
internal sealed class JobTree
{
    /// <summary>How deep mappings and lists may be nested.</summary>
    public const int MaxDepth = 32;

    /// <summary>How many nodes a file may have: enough for as many layers as there may be, and read in less than 16 MB.</summary>
    public const int MaxNodes = 40_000;

    /// <summary>How many items a list may have: the longest is that of layers, of which there may be fewer.</summary>
    public const int MaxItems = 4096;

    /// <summary>How many things may be wrong with the text before the rest of it is not read.</summary>
    public const int MaxErrors = 100;

    private const string TabMessage = "indentation must be spaces (was a tab)";

    private readonly string _text;
    private readonly JobErrors _errors;
    private readonly Parser _parser;
    private readonly Stack<Position> _openBrackets = new();
    private int _nodes;
    private int _defects;
    private int _lineOfLastTab;

    // Set when the rest of the file cannot be understood: every loop ends, nothing more is reported.
    private bool _stopped;

    private JobTree(string text, JobErrors errors)
    {
        _text = text;
        _errors = errors;
        _parser = new Parser(new Scanner(new StringReader(text), skipComments: true));
    }

    /// <summary>The root of the one document in <paramref name="text"/>; null when the text cannot be read to its end.</summary>
    public static JobNode? Read(string text, JobErrors errors)
    {
        // A byte order mark is no part of the text, and would shift the columns of the first line.
        text = text.StartsWith('\uFEFF') ? text[1..] : text;
        if (TextDefect.Find(text) is { } defect)
        {
            errors.Add(JobErrorKind.Syntax, defect.At, defect.Message);
            return null;
        }

        var tree = new JobTree(text, errors);
        try
        {
            return tree.ReadDocument();
        }
        catch (YamlException error)
        {
            tree.SyntaxOf(error);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // The YAML parser throws other exceptions too where a bracket is never closed, and nobody knows where else;
            // whatever it throws, the file is what is wrong.
            var at = tree._parser.Current is { } last ? Place(last.Start) : Position.Start;
            tree.Syntax(at, $"not valid YAML from here on{tree.StillOpen}");
        }

        return null;
    }

    private JobNode? ReadDocument()
    {
        Next<StreamStart>();
        if (_parser.Current is StreamEnd)
        {
            Syntax(Position.Start, "the file is empty: a job is a mapping that begins with its name");
            return null;
        }

        Next<DocumentStart>();
        var root = ReadNode(1);
        if (_stopped)
        {
            return null;
        }

        Next<DocumentEnd>();
        if (_parser.Current is DocumentStart second)
        {
            Syntax(Place(second.Start), "a job file holds one document, and here a second begins");
            return null;
        }

        return root;
    }

    /// <summary>Takes the current event, which is a <typeparamref name="T"/>, and moves to the one after it.</summary>
    private void Next<T>()
        where T : ParsingEvent
    {
        if (_parser.Current is null)
        {
            _parser.MoveNext();
        }

        if (_parser.Current is not T)
        {
            throw new SemanticErrorException(
                _parser.Current?.Start ?? Mark.Empty, _parser.Current?.End ?? Mark.Empty, "unexpected content");
        }

        _parser.MoveNext();
    }

    private JobNode ReadNode(int depth)
    {
        var current = _parser.Current!;
        var at = Place(current.Start);
        if (++_nodes > MaxNodes || depth > MaxDepth)
        {
            Syntax(at, _nodes > MaxNodes
                ? $"a job file may have at most {MaxNodes} values"
                : $"mappings and lists may be nested at most {MaxDepth} deep");
            _stopped = true;
            return new BrokenNode(at);
        }

        CheckIndentation(current.Start);
        if (current is NodeEvent node)
        {
            RefuseProperties(node, at);
        }

        switch (current)
        {
            case Scalar scalar:
                _parser.MoveNext();
                return new ScalarNode(at, scalar.Value, scalar.Style != ScalarStyle.Plain);
            case SequenceStart start:
                return ReadSequence(at, start.Style == SequenceStyle.Flow, depth);
            case MappingStart start:
                return ReadMapping(at, start.Style == MappingStyle.Flow, depth);
            case AnchorAlias alias:
                Syntax(at, $"aliases are not allowed in a job file (was *{ScalarNode.Clean(alias.Value.Value)})");
                _parser.MoveNext();
                return new BrokenNode(at);
            default:
                throw new SemanticErrorException(current.Start, current.End, "expected a value");
        }
    }

    private SequenceNode ReadSequence(Position at, bool isFlow, int depth)
    {
        Open(isFlow, at);
        Next<SequenceStart>();
        var items = ImmutableArray.CreateBuilder<JobNode>();
        while (!_stopped && _parser.Current is not SequenceEnd)
        {
            if (items.Count == MaxItems)
            {
                Syntax(Place(_parser.Current!.Start), $"a list may have at most {MaxItems} items");
                _stopped = true;
                break;
            }

            items.Add(ReadNode(depth + 1));
        }

        if (!_stopped)
        {
            Next<SequenceEnd>();
        }

        Close(isFlow);
        return new SequenceNode(at, items.ToImmutable());
    }

    private MappingNode ReadMapping(Position at, bool isFlow, int depth)
    {
        Open(isFlow, at);
        Next<MappingStart>();
        var entries = ImmutableArray.CreateBuilder<MappingEntry>();
        var places = new Dictionary<string, Position>();
        while (!_stopped && _parser.Current is not MappingEnd)
        {
            var key = ReadNode(depth + 1);
            var value = _stopped ? key : ReadNode(depth + 1);
            if (key is not ScalarNode { Text: var text })
            {
                if (key is not BrokenNode)
                {
                    Syntax(key.At, $"a key must be a word (was {key.Shown})");
                }
            }
            else if (places.TryAdd(text, key.At))
            {
                entries.Add(new MappingEntry(text, key.At, value));
            }
            else
            {
                var first = places[text];
                Syntax(key.At, $"the key '{ScalarNode.Clean(text)}' is here twice, first at {first.Line}:{first.Column}");
            }
        }

        if (!_stopped)
        {
            Next<MappingEnd>();
        }

        Close(isFlow);
        return new MappingNode(at, entries.ToImmutable());
    }

    private void RefuseProperties(NodeEvent node, Position at)
    {
        if (!node.Anchor.IsEmpty)
        {
            Syntax(at, $"anchors are not allowed in a job file (was &{ScalarNode.Clean(node.Anchor.Value)})");
        }

        if (!node.Tag.IsEmpty)
        {
            Syntax(at, $"tags are not allowed in a job file (was {ScalarNode.Clean(node.Tag.ToString())})");
        }
    }

    // YAML forbids tabs as indentation but the parser lets some pass, and then nesting depends on how wide it takes them to be.
    private void CheckIndentation(Mark mark)
    {
        var line = (int)mark.Line;
        var end = (int)Math.Min(mark.Index, _text.Length);
        var start = (int)Math.Max(0, end - (mark.Column - 1));
        var indentation = _text.AsSpan(start, end - start);
        indentation = indentation[..(indentation.Length - indentation.TrimStart(" \t").Length)];
        if (_openBrackets.Count == 0 && line != _lineOfLastTab && indentation.Contains('\t'))
        {
            _lineOfLastTab = line;
            Syntax(new Position(line, indentation.IndexOf('\t') + 1), TabMessage);
        }
    }

    private void Syntax(Position at, string message)
    {
        _errors.Add(JobErrorKind.Syntax, at, message);
        if (++_defects == MaxErrors)
        {
            _errors.Add(JobErrorKind.Syntax, at, $"{MaxErrors} things are wrong until here: the rest is not read");
            _stopped = true;
        }
    }

    private static Position Place(Mark mark) => new((int)Math.Max(1, mark.Line), (int)Math.Max(1, mark.Column));

    private string StillOpen =>
        _openBrackets.TryPeek(out var at) ? $" (still open: what begins at {at.Line}:{at.Column})" : "";

    private void SyntaxOf(YamlException error)
    {
        // The parser says where the mapping began, not where the tab is.
        if (error.Message.Contains(" tab ", StringComparison.Ordinal) && FirstTab((int)error.Start.Line) is { } tab)
        {
            Syntax(tab, TabMessage);
            return;
        }

        var message = error.Message.TrimEnd('.');
        var said = message.Length == 0 ? "" : $": {char.ToLowerInvariant(message[0])}{message[1..]}";
        Syntax(Place(error.Start), $"not valid YAML{said}{StillOpen}");
    }

    /// <summary>The first tab in an indentation, from a line on.</summary>
    private Position? FirstTab(int fromLine)
    {
        var line = 0;
        foreach (var text in _text.AsSpan().EnumerateLines())
        {
            var indentation = text[..(text.Length - text.TrimStart(" \t").Length)];
            if (++line >= fromLine && indentation.Contains('\t'))
            {
                return new Position(line, indentation.IndexOf('\t') + 1);
            }
        }

        return null;
    }

    private void Open(bool isBracket, Position at)
    {
        if (isBracket)
        {
            _openBrackets.Push(at);
        }
    }

    private void Close(bool isBracket)
    {
        if (isBracket && !_stopped)
        {
            _openBrackets.Pop();
        }
    }
}

using System.Globalization;
using System.Text;

namespace DistributedBackprop.Training.Jobs.Writing;

/// <summary>
/// Writes JSON without white space. Our own, because the text is hashed: how a library escapes and formats may change with
/// its version. A key whose value is null is left out.
/// </summary>
internal sealed class CompactJson
{
    private readonly StringBuilder _text = new();

    public override string ToString() => _text.ToString();

    public void Object(Action write)
    {
        Separate();
        _text.Append('{');
        write();
        _text.Append('}');
    }

    public void Object(string key, Action write)
    {
        Key(key);
        Object(write);
    }

    public void List<T>(string key, IEnumerable<T> items, Action<T> write)
    {
        Key(key);
        _text.Append('[');
        foreach (var item in items)
        {
            write(item);
        }

        _text.Append(']');
    }

    public void Integer(long value)
    {
        Separate();
        _text.Append(value.ToString(CultureInfo.InvariantCulture));
    }

    public void Integer(string key, long? value)
    {
        if (value is not null)
        {
            Key(key);
            Integer(value.Value);
        }
    }

    public void Number(string key, double? value)
    {
        if (value is not null)
        {
            Key(key);
            // −0 and +0 are equal, so they are written alike.
            _text.Append((value.Value + 0.0).ToString("R", CultureInfo.InvariantCulture));
        }
    }

    public void Flag(string key, bool value)
    {
        Key(key);
        _text.Append(value ? "true" : "false");
    }

    public void Text(string value)
    {
        Separate();
        _text.Append('"');
        foreach (var c in value)
        {
            _ = c is '"' or '\\' ? _text.Append('\\').Append(c)
                : c < ' ' ? _text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}")
                : _text.Append(c);
        }

        _text.Append('"');
    }

    public void Text(string key, string value)
    {
        Key(key);
        Text(value);
    }

    private void Key(string key)
    {
        Text(key);
        _text.Append(':');
    }

    // What follows an opening bracket or a colon needs no comma.
    private void Separate()
    {
        if (_text.Length > 0 && _text[^1] is not ('{' or '[' or ':'))
        {
            _text.Append(',');
        }
    }
}

using System.Globalization;
using System.Text;
using System.Text.Json;
using WarpDrive.Linux;

namespace WarpProxy.Configuration;

/// <summary>
/// Settings of one JSON file; comments and trailing commas are allowed. .NET's own provider tells neither where a setting stands nor that one
/// stands there twice. It is read once, since it may be a pipe.
/// </summary>
internal sealed class SettingsFile : ConfigurationProvider, IConfigurationSource
{
    /// <summary>What .NET programs call theirs. It is read when it is named, and not because it lies where the proxy happens to be started.</summary>
    public const string UsualName = "appsettings.json";

    private readonly Dictionary<string, int> _lines = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<(int Line, string Sentence)> _problems = [];
    private readonly byte[] _json;
    private int _countedTo;     // byte
    private int _line = 1;      // there

    private SettingsFile(string path, byte[] json, FileStamp? stamp)
    {
        FilePath = path;
        Stamp = stamp;
        _json = json;
    }

    /// <summary>As the user gave it.</summary>
    public string FilePath { get; }

    /// <summary>What the file was just before it was read; null when it was not there.</summary>
    public FileStamp? Stamp { get; }

    /// <summary>A sentence for each setting that stands there twice.</summary>
    public IReadOnlyList<(int Line, string Sentence)> Problems => _problems;

    /// <summary>Reads it.</summary>
    /// <exception cref="BadInputException">The file is missing, unreadable, or not a JSON object.</exception>
    public static SettingsFile Read(string path)
    {
        if (path.Length == 0)
        {
            throw new BadInputException("Configuration file is ''; it must be the path of a JSON file.");
        }

        byte[] json;
        FileStamp? before = FileStamp.TryRead(path, out FileStamp stamp) ? stamp : null;
        try
        {
            json = File.ReadAllBytes(path);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new BadInputException($"Configuration file '{path}' does not exist.", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            string reason = Directory.Exists(path) ? "it is a directory" : exception is UnauthorizedAccessException ? "permission denied" : exception.Message.TrimEnd('.');
            throw new BadInputException($"Configuration file '{path}' cannot be read: {reason}.", exception);
        }

        var file = new SettingsFile(path, json.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? json[Encoding.UTF8.Preamble.Length..] : json, before);
        file.Parse();
        return file;
    }

    /// <summary>The line where a setting or section stands, from 1; null when it does not.</summary>
    public int? FindLine(string path) => _lines.TryGetValue(path, out int line) ? line : null;

    /// <inheritdoc/>
    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    private void Parse()
    {
        var reader = new Utf8JsonReader(_json, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        try
        {
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                throw new BadInputException($"Configuration file '{FilePath}' has no object; it must be {{ ... }} with the sections inside.");
            }

            ReadValue(ref reader, "");
            reader.Read();      // nothing may follow
        }
        catch (JsonException exception)
        {
            // The reader counts lines from 0, people from 1. Its message repeats the position after its first sentence.
            string reason = exception.Message.Split(" LineNumber:")[0].TrimEnd('.');
            throw new BadInputException(
                $"Configuration file '{FilePath}' is not JSON, line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}: {reason}.", exception);
        }
        catch (InvalidOperationException exception)
        {
            throw new BadInputException(
                $"Configuration file '{FilePath}' has a text in line {LineOf(reader.TokenStartIndex)} that is not UTF-8.", exception);
        }
    }

    /// <summary>The text of each value under its path, as .NET's provider has it: an empty object is null, an empty list is "".</summary>
    private void ReadValue(ref Utf8JsonReader reader, string path)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                bool isEmpty = true;
                while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
                {
                    string name = reader.GetString()!;
                    string below = path.Length == 0 ? name : ConfigurationPath.Combine(path, name);
                    Note(below, LineOf(reader.TokenStartIndex));
                    reader.Read();
                    ReadValue(ref reader, below);
                    isEmpty = false;
                }

                if (isEmpty && path.Length > 0)
                {
                    Data[path] = null;
                }

                break;
            case JsonTokenType.StartArray:
                int count = 0;
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    string below = ConfigurationPath.Combine(path, count.ToString(CultureInfo.InvariantCulture));
                    Note(below, LineOf(reader.TokenStartIndex));
                    ReadValue(ref reader, below);
                    count++;
                }

                if (count == 0)
                {
                    Data[path] = "";
                }

                break;
            case JsonTokenType.Null:
                Data[path] = null;
                break;
            case JsonTokenType.String:
                Data[path] = reader.GetString();
                break;
            default:
                Data[path] = Encoding.ASCII.GetString(reader.ValueSpan);    // a number, true or false
                break;
        }
    }

    private void Note(string path, int line)
    {
        if (!_lines.TryAdd(path, line))
        {
            _problems.Add((line, $"{path} is there already, in line {_lines[path]}; it must be there once."));
        }
    }

    /// <summary>Positions are asked for in their order.</summary>
    private int LineOf(long position)
    {
        _line += _json.AsSpan(_countedTo, (int)position - _countedTo).Count((byte)'\n');
        _countedTo = (int)position;
        return _line;
    }
}

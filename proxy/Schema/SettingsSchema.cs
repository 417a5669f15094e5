using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using WarpProxy.Configuration;

namespace WarpProxy.Schema;

/// <summary>The JSON schema of configuration files, with which editors complete and explain settings. It is made of the records that the proxy reads.</summary>
internal sealed class SettingsSchema(SummaryFile summaries)
{
    // As the reader has it: .NET's text of a time, of which the days and the fraction may be left out.
    private const string TimePattern = @"^(\d+\.)?\d{1,2}:\d{2}(:\d{2}(\.\d{1,7})?)?$";

    private static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        IndentSize = 2,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,      // it is read by people, and never in a web page
    };

    private readonly SortedDictionary<string, JsonNode> _definitions = new(StringComparer.Ordinal);

    /// <summary>The whole schema as text.</summary>
    public string Write(IReadOnlyList<SettingsSection> sections)
    {
        var properties = new JsonObject();
        foreach (SettingsSection section in sections)
        {
            JsonObject schema = section.IsNamed ? ByName(section.Type) : Section(section.Type);
            properties[section.Name] = WithText(schema, summaries.Find(section.Type));
        }

        var root = new JsonObject
        {
            ["$schema"] = "http://json-schema.org/draft-07/schema#",
            ["title"] = "Settings of WarpProxy",
            ["description"] = "Written by 'warpproxy schema'.",
            ["type"] = "object",
            ["properties"] = properties,
            ["patternProperties"] = new JsonObject { ["^\\$"] = new JsonObject() },
            ["additionalProperties"] = false,
            ["definitions"] = new JsonObject(_definitions.Select(static one => KeyValuePair.Create(one.Key, (JsonNode?)one.Value))),
        };
        return root.ToJsonString(Format) + "\n";
    }

    /// <summary>A reference to the section, which is described once.</summary>
    private JsonObject Section(Type type)
    {
        if (!_definitions.ContainsKey(type.Name))
        {
            _definitions[type.Name] = new JsonObject();     // it may have itself below it
            var properties = new JsonObject();
            object defaults = Activator.CreateInstance(type)!;
            foreach (PropertyInfo setting in SettingTypes.SettingsOf(type))
            {
                JsonObject schema = WithText(Value(SettingTypes.Strip(setting.PropertyType)), summaries.Find(setting));
                if (Default(setting.GetValue(defaults)) is { } value)
                {
                    schema["default"] = value;
                }

                properties[setting.Name] = schema;
            }

            _definitions[type.Name] = new JsonObject { ["type"] = "object", ["properties"] = properties, ["additionalProperties"] = false };
        }

        // Beside a reference nothing else counts in this version of JSON schema; so it stands in a list of one.
        return new JsonObject { ["allOf"] = new JsonArray(new JsonObject { ["$ref"] = $"#/definitions/{type.Name}" }) };
    }

    private JsonObject ByName(Type type) => new() { ["type"] = "object", ["additionalProperties"] = Value(type) };

    private JsonObject Value(Type type)
    {
        if (SettingTypes.FindNamed(type) is { } named)
        {
            return ByName(named);
        }

        if (SettingTypes.FindElement(type) is { } element)
        {
            return new JsonObject { ["type"] = "array", ["items"] = SettingTypes.IsFlags(type) ? Names(type) : Value(element) };
        }

        return SettingTypes.IsSection(type) ? Section(type)
            : type.IsEnum ? Names(type)
            : type == typeof(int) || type == typeof(long) ? new JsonObject { ["type"] = "integer" }
            : type == typeof(double) ? new JsonObject { ["type"] = "number" }
            : type == typeof(bool) ? new JsonObject { ["type"] = "boolean" }
            : type == typeof(TimeSpan) ? new JsonObject { ["type"] = "string", ["pattern"] = TimePattern }

            // Text may be written without quotes where it looks like another kind.
            : new JsonObject { ["type"] = new JsonArray("string", "number", "boolean") };
    }

    private JsonObject Names(Type type)
    {
        IReadOnlyList<string> names = SettingTypes.NamesOf(type);
        string[] texts = [.. names.Select((name, index) => summaries.Find(type, index) is { Length: > 0 } text ? $"{name}: {text}" : "")];
        return WithText(new JsonObject { ["enum"] = new JsonArray([.. names.Select(static name => JsonValue.Create(name))]) }, string.Join('\n', texts.Where(static text => text.Length > 0)));
    }

    /// <summary>Before the texts of the names, if it has any.</summary>
    private static JsonObject WithText(JsonObject schema, string text)
    {
        string whole = string.Join('\n', new[] { text, schema["description"]?.GetValue<string>() }.Where(static part => !string.IsNullOrEmpty(part)));
        if (whole.Length > 0)
        {
            schema["description"] = whole;
        }

        return schema;
    }

    private static JsonNode? Default(object? value) => value switch
    {
        null or "" => null,
        string text => JsonValue.Create(text),
        int number => JsonValue.Create(number),
        long number => JsonValue.Create(number),
        double number => JsonValue.Create(number),
        bool truth => JsonValue.Create(truth),
        TimeSpan or Enum => JsonValue.Create(SettingTypes.Write(value)),
        IReadOnlyList<string> list => new JsonArray([.. list.Select(static item => JsonValue.Create(item))]),
        _ => null,
    };
}

using System.Text.Encodings.Web;
using System.Text.Json;

namespace WarpProxy.LoadTest.Reporting;

/// <summary>How results look with <c>--json</c>.</summary>
internal static class JsonFormat
{
    private static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // for a terminal or a file, not for a page
    };

    public static string Write<T>(T result) => JsonSerializer.Serialize(result, Options);
}

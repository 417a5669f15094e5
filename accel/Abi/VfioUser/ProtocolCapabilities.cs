using System.Text.Json;

namespace WarpDrive.Abi.VfioUser;

/// <summary>The limits that both sides name in the JSON text of VERSION. Keys that are absent have the specification's defaults.</summary>
/// <param name="MaxMessageDescriptors">Descriptors that one message may carry.</param>
/// <param name="MaxDataTransferBytes">Data bytes of one REGION_READ or REGION_WRITE.</param>
/// <param name="MaxDmaMappings">DMA mappings at a time.</param>
/// <param name="PageSizes">Sizes of pages for DMA mappings, one bit for each.</param>
public sealed record ProtocolCapabilities(uint MaxMessageDescriptors, uint MaxDataTransferBytes, uint MaxDmaMappings, ulong PageSizes)
{
    /// <summary>Bytes of the longest message: header, fixed payload and data.</summary>
    public const int MaxMessageBytes = 65536 + 64;

    /// <summary>What a peer means that names nothing.</summary>
    public static readonly ProtocolCapabilities Defaults = new(1, 1048576, 65535, 4096);

    /// <summary>What the emulated device offers (accel/README.md "vfio-user messages") and its client takes.</summary>
    public static readonly ProtocolCapabilities Emulated = new(8, 65536, 256, 4096);

    /// <summary>Reads the text; keys that are not known are ignored.</summary>
    /// <param name="text">UTF-8, without the NUL. Empty: all defaults.</param>
    /// <exception cref="JsonException">No JSON object, or a limit that is no number of its range.</exception>
    public static ProtocolCapabilities Parse(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty)
        {
            return Defaults;
        }

        var reader = new Utf8JsonReader(text);
        using JsonDocument document = JsonDocument.ParseValue(ref reader);
        if (reader.BytesConsumed != text.Length && text[(int)reader.BytesConsumed..].ContainsAnyExcept(" \t\r\n"u8))
        {
            throw new JsonException("Something follows the JSON object.");
        }

        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            throw new JsonException($"The text is a {document.RootElement.ValueKind}; it must be an object.");
        }

        if (!document.RootElement.TryGetProperty("capabilities", out JsonElement capabilities))
        {
            return Defaults;
        }

        if (capabilities.ValueKind != JsonValueKind.Object)
        {
            throw new JsonException($"capabilities is a {capabilities.ValueKind}; it must be an object.");
        }

        return new ProtocolCapabilities(
            (uint)Number(capabilities, "max_msg_fds", Defaults.MaxMessageDescriptors, uint.MaxValue),
            (uint)Number(capabilities, "max_data_xfer_size", Defaults.MaxDataTransferBytes, uint.MaxValue),
            (uint)Number(capabilities, "max_dma_maps", Defaults.MaxDmaMappings, uint.MaxValue),
            Number(capabilities, "pgsizes", Defaults.PageSizes, ulong.MaxValue));
    }

    /// <summary>Writes the text as UTF-8, with the NUL that the protocol wants behind it.</summary>
    public byte[] ToText()
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("capabilities");
            writer.WriteNumber("max_msg_fds", MaxMessageDescriptors);
            writer.WriteNumber("max_data_xfer_size", MaxDataTransferBytes);
            writer.WriteNumber("max_dma_maps", MaxDmaMappings);
            writer.WriteNumber("pgsizes", PageSizes);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        stream.WriteByte(0);
        return stream.ToArray();
    }

    private static ulong Number(JsonElement capabilities, string name, ulong absent, ulong max)
    {
        if (!capabilities.TryGetProperty(name, out JsonElement element))
        {
            return absent;
        }

        if (element.ValueKind == JsonValueKind.Number && element.TryGetUInt64(out ulong value) && value <= max)
        {
            return value;
        }

        // A peer wrote it: the text of a number can go into a log, and of anything else only what it is.
        string seen = element.ValueKind == JsonValueKind.Number ? element.GetRawText() : $"of type {element.ValueKind}";
        throw new JsonException($"{name} is {seen[..Math.Min(seen.Length, 40)]}; it must be a number from 0 to {max}.");
    }
}

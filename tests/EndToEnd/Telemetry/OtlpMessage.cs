using System.Globalization;
using Google.Protobuf;

namespace WarpProxy.Tests.EndToEnd.Telemetry;

/// <summary>
/// Reads the messages that OTLP consists of, field by field. Source: opentelemetry/proto/common/v1/common.proto and the files that use it; numbers are
/// those of their fields.
/// </summary>
internal static class OtlpMessage
{
    /// <summary>A KeyValue, whose value is text, yes or no, or a number.</summary>
    public static (string Key, string Value) Attribute(byte[] bytes)
    {
        (string key, string value) = ("", "");
        Each(bytes, (field, input) =>
        {
            switch (field)
            {
                case 1:
                    key = input.ReadString();
                    return true;
                case 2:
                    value = Value(input.ReadBytes().ToByteArray());
                    return true;
                default:
                    return false;
            }
        });
        return (key, value);
    }

    private static string Value(byte[] bytes)
    {
        string value = "";
        Each(bytes, (field, input) =>
        {
            switch (field)
            {
                case 1:
                    value = input.ReadString();
                    return true;
                case 2:
                    value = input.ReadBool() ? "true" : "false";
                    return true;
                case 3:
                    value = input.ReadInt64().ToString(CultureInfo.InvariantCulture);
                    return true;
                case 4:
                    value = input.ReadDouble().ToString("R", CultureInfo.InvariantCulture);
                    return true;
                default:
                    return false;
            }
        });
        return value;
    }

    /// <summary>The integer in a field; 0 without it.</summary>
    public static long Number(byte[] bytes, int wanted)
    {
        long number = 0;
        Each(bytes, (field, input) =>
        {
            if (field != wanted)
            {
                return false;
            }

            number = input.ReadInt64();
            return true;
        });
        return number;
    }

    /// <summary>The messages in a field.</summary>
    public static List<byte[]> Messages(byte[] bytes, int wanted)
    {
        List<byte[]> messages = [];
        Each(bytes, (field, input) =>
        {
            if (field != wanted)
            {
                return false;
            }

            messages.Add(input.ReadBytes().ToByteArray());
            return true;
        });
        return messages;
    }

    /// <summary>Reads every field; those that <paramref name="read"/> does not take are passed over.</summary>
    public static void Each(byte[] bytes, Func<int, CodedInputStream, bool> read)
    {
        using var input = new CodedInputStream(bytes);
        for (uint tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            if (!read(WireFormat.GetTagFieldNumber(tag), input))
            {
                input.SkipLastField();
            }
        }
    }
}

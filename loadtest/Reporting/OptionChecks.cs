using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace WarpProxy.LoadTest.Reporting;

/// <summary>Limits of options, with one sentence for a value beyond them.</summary>
internal static class OptionChecks
{
    /// <summary>Refuses values outside the limits, which are allowed themselves. What is no number is refused by the option's type.</summary>
    public static Option<T> Between<T>(this Option<T> option, double lowest, double highest)
    {
        option.Validators.Add(result =>
        {
            string text = result.Tokens.Count == 0 ? "" : result.Tokens[0].Value;

            // A value that is not a number is not between anything.
            if (double.TryParse(text, CultureInfo.InvariantCulture, out double value) && !(value >= lowest && value <= highest))
            {
                result.AddError(string.Create(CultureInfo.InvariantCulture, $"{option.Name} is {text}; it must be between {lowest} and {highest}."));
            }
        });
        return option;
    }

    /// <summary>Refuses a value with the sentence that <paramref name="refusal"/> has for its text; null lets it pass.</summary>
    public static Option<T> RefusedIf<T>(this Option<T> option, Func<string, string?> refusal)
    {
        option.Validators.Add(result => Refuse(result, refusal));
        return option;
    }

    /// <summary>As for options.</summary>
    public static Argument<T> RefusedIf<T>(this Argument<T> argument, Func<string, string?> refusal)
    {
        argument.Validators.Add(result => Refuse(result, refusal));
        return argument;
    }

    private static void Refuse(SymbolResult result, Func<string, string?> refusal)
    {
        foreach (Token token in result.Tokens)
        {
            if (refusal(token.Value) is string sentence)
            {
                result.AddError(sentence);
                return;
            }
        }
    }
}

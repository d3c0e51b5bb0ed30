//! A receipt as a QR code, to be printed on a decision. What is scanned is the
//! receipt's text: any program that checks receipts takes it.

use std::path::Path;

use qrcode::{Color, EcLevel, QrCode, render::svg, types::QrError};

use crate::failure::Failure;

/// Pixels of a module in a PNG.
const SCALE: usize = 4;
/// Modules of white around the code, as the standard asks for.
const QUIET: usize = 4;

/// What the code is drawn as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Svg,
    Png,
}

impl Form {
    /// By the file's ending.
    pub(super) fn of(path: &Path) -> Result<Self, Failure> {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("svg") => Ok(Self::Svg),
            Some("png") => Ok(Self::Png),
            Some(_) | None => Err(Failure::usage(
                "--qr 的文件名应以 .svg 或 .png 结尾",
                "the file of --qr ends in .svg or .png",
            )),
        }
    }
}

/// Draws a text with medium error correction, or little if there is no room. More
/// would need smaller modules, and on paper those are lost before any correction
/// helps.
pub(super) fn draw(text: &str, form: Form) -> Result<Vec<u8>, Failure> {
    let levels = [EcLevel::M, EcLevel::L];
    let mut codes = levels
        .into_iter()
        .map(|level| QrCode::with_error_correction_level(text, level));
    let code = codes.find(|code| !matches!(code, Err(QrError::DataTooLong)));
    let Some(Ok(code)) = code else {
        return Err(Failure::new(
            "QR_TOO_LARGE",
            format!(
                "回执有 {} 字节，一个二维码放不下；请去掉 --with-content",
                text.len()
            ),
            format!(
                "the receipt has {} bytes, more than a QR code holds: leave out --with-content",
                text.len()
            ),
        ));
    };
    match form {
        Form::Svg => Ok(code
            .render::<svg::Color<'_>>()
            .min_dimensions(480, 480)
            .build()
            .into_bytes()),
        Form::Png => png(&code),
    }
}

fn png(code: &QrCode) -> Result<Vec<u8>, Failure> {
    let width = code.width();
    let side = (width + 2 * QUIET) * SCALE;
    let colors = code.to_colors();
    let mut pixels = vec![255_u8; side * side];
    for (at, _) in colors
        .iter()
        .enumerate()
        .filter(|(_, color)| **color == Color::Dark)
    {
        let (x, y) = ((at % width + QUIET) * SCALE, (at / width + QUIET) * SCALE);
        for row in pixels.chunks_mut(side).skip(y).take(SCALE) {
            row[x..x + SCALE].fill(0);
        }
    }
    let failed = |error: png::EncodingError| Failure::from(anyhow::Error::from(error));
    let mut bytes = Vec::new();
    let side = u32::try_from(side).unwrap_or(u32::MAX);
    let mut encoder = png::Encoder::new(&mut bytes, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(&pixels).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(bytes)
}

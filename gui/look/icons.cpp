#include "gui/look/icons.h"

#include <QFile>
#include <QGuiApplication>
#include <QIconEngine>
#include <QPainter>
#include <QPalette>
#include <QPixmap>
#include <QSvgRenderer>

#include <utility>

// At global scope, as a resource in a static library must be.
static void initIconResources()
{
    Q_INIT_RESOURCE(icons);
}

namespace relay::gui {

namespace {

/// Draws an SVG whose strokes and fills are "currentColor", in the palette's colour of the moment.
class PaletteIconEngine : public QIconEngine
{
public:
    explicit PaletteIconEngine(QByteArray svg)
        : m_svg(std::move(svg))
    {}

    void paint(QPainter *painter, const QRect &rect, QIcon::Mode mode, QIcon::State) override
    {
        const QPalette palette = QGuiApplication::palette();
        const QColor colour = mode == QIcon::Selected ? palette.color(QPalette::HighlightedText)
                              : mode == QIcon::Disabled
                                  ? palette.color(QPalette::Disabled, QPalette::Text)
                                  : palette.color(QPalette::Text);
        QByteArray svg = m_svg;
        svg.replace("currentColor", colour.name().toLatin1());
        QSvgRenderer(svg).render(painter, rect);
    }

    QPixmap pixmap(const QSize &size, QIcon::Mode mode, QIcon::State state) override
    {
        QPixmap pixmap(size);
        pixmap.fill(Qt::transparent);
        QPainter painter(&pixmap);
        paint(&painter, QRect(QPoint(), size), mode, state);
        return pixmap;
    }

    [[nodiscard]] QIconEngine *clone() const override { return new PaletteIconEngine(m_svg); }

private:
    QByteArray m_svg;
};

QByteArray resource(const QString &name)
{
    initIconResources();
    QFile file(QStringLiteral(":/icons/%1.svg").arg(name));
    if (!file.open(QIODevice::ReadOnly)) {
        qWarning("there is no icon of the name %s", qPrintable(name));
        return {};
    }
    return file.readAll();
}

} // namespace

QIcon icon(const QString &name)
{
    return QIcon(new PaletteIconEngine(resource(name))); // taken over
}

QIcon programIcon()
{
    return icon(QStringLiteral("relay-dashboard"));
}

} // namespace relay::gui

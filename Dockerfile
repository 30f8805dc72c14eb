FROM debian:12-slim
WORKDIR /fastformer
COPY . .
RUN scripts/setup && useradd --create-home fastformer
USER fastformer
WORKDIR /home/fastformer
ENV PATH="/fastformer/build/release/bin:${PATH}"
ENTRYPOINT ["fastformer"]

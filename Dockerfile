FROM debian:12-slim
WORKDIR /fastformer
COPY . .
RUN scripts/setup
ENV PATH="/fastformer/build/release/bin:${PATH}"
ENTRYPOINT ["fastformer"]
